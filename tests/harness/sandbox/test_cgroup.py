"""The counter is found in both layouts of cgroups, and never in a group that is not the container's."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.sandbox.cgroup import cpu_counter, read_cpu_s

ID = "6a14b195482a11f35496a90394db2bd22d9401e6d72a99d635dcbe7cf1721e3d"
V1 = f"3:cpuset:/docker/{ID}\n2:cpu,cpuacct:/docker/{ID}\n0::/docker/{ID}\n"
V2 = f"0::/system.slice/docker-{ID}.scope\n"


@pytest.mark.parametrize(
    ("lines", "file", "text"),
    [
        (V1, f"cpu,cpuacct/docker/{ID}/cpuacct.usage", "1500000000\n"),
        (V2, f"system.slice/docker-{ID}.scope/cpu.stat", "usage_usec 1500000\nuser_usec 1\nsystem_usec 2\n"),
    ],
)
def test_both_layouts(tmp_path: Path, lines: str, file: str, text: str) -> None:
    (tmp_path / "42").mkdir()
    (tmp_path / "42" / "cgroup").write_text(lines)
    counter = tmp_path / "mount" / file
    counter.parent.mkdir(parents=True)
    counter.write_text(text)
    found = cpu_counter(ID, 42, proc=tmp_path, mount=tmp_path / "mount")
    assert found == counter
    assert read_cpu_s(found) == 1.5
    assert cpu_counter("0" * 64, 42, proc=tmp_path, mount=tmp_path / "mount") is None
    assert cpu_counter(ID, 43, proc=tmp_path, mount=tmp_path / "mount") is None


def test_no_counter_where_the_machine_shows_none(tmp_path: Path) -> None:
    (tmp_path / "42").mkdir()
    (tmp_path / "42" / "cgroup").write_text(V1)
    assert cpu_counter(ID, 42, proc=tmp_path, mount=tmp_path / "mount") is None

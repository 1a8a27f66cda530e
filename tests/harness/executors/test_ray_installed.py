"""The installed package alone, in a folder of no importance, starts a Ray cluster, plays on it and leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from tests.harness.executors.side import ROOT, until

pytest.importorskip("ray")


@pytest.mark.timeout(900)
def test_a_wheel_in_a_venv_elsewhere(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Driver and workers run from the wheel, which carries the tasks; beside it only what it depends on is there."""
    venv, work, temporary = (
        tmp_path / "venv",
        tmp_path / "work",
        Path(tempfile.mkdtemp(prefix="r-")),
    )  # short, for sockets
    request.addfinalizer(lambda: shutil.rmtree(temporary))
    work.mkdir()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(tmp_path), str(ROOT)], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    packages = next(venv.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (wheel,) = tmp_path.glob("gymboard-*.whl")
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)

    home = tmp_path / "home"
    home.mkdir()
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "GYMBOARD_DATA_MIRROR")}
    env |= {"TMPDIR": str(temporary), "GYMBOARD_HOME": gymboard_home(), "HOME": str(home)}
    where = subprocess.run(
        [str(python), "-c", "import harness; print(harness.__file__)"],
        cwd=work,
        env=env,
        capture_output=True,
        text=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(packages), where.stdout + where.stderr
    run = ["run", "--tasks", "house-price", "--profile", "smoke", "--sandbox", "local", "--seeds", "2", "--run", "r"]
    done = subprocess.run(
        [str(venv / "bin" / "gymboard"), *run, "--executor", "ray"], cwd=work, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for seed in (0, 1):
        episode = json.loads((work / "runs" / "r" / "house-price" / f"seed-{seed}" / "episode.json").read_bytes())
        assert episode["exit_status"] == "success"
    assert list(temporary.iterdir()) == [], "no folder of Ray's, none of ours"
    assert list(home.iterdir()) == [], "no token in the home folder"
    until(lambda: ray_processes(temporary) == [], 30)  # a worker hears of its node's end a moment later


def gymboard_home() -> str:
    from harness.home import home

    return str(home())


def ray_processes(temporary: Path) -> list[str]:
    """What still runs with our temporary folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"TMPDIR={temporary}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found

"""The kernel's own CPU counter of a container, read where the kernel keeps it.

Takes a container's id and the host pid of its first process, gives a file to read. The engine's statistics are the same
number, but an engine may answer them only once a second. Never guesses: None when this machine does not show the
counter (the engine runs elsewhere, or in a virtual machine).
"""

from __future__ import annotations

from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")


def cpu_counter(container_id: str, pid: int, proc: Path = Path("/proc"), mount: Path = MOUNT) -> Path | None:
    """The counter's file. The group's path must name the container: a pid alone may be another machine's.

    Source: cgroups(7); Linux documentation, Control Group v2 (cpu.stat) and CPU Accounting Controller (v1).
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if container_id not in group:
            continue
        own = group.lstrip("/")
        unified = not controllers
        file = mount / own / "cpu.stat" if unified else mount / controllers / own / "cpuacct.usage"
        if (unified or "cpuacct" in controllers.split(",")) and file.is_file():
            return file
    return None


def read_cpu_s(counter: Path) -> float:
    """CPU seconds of every process that ever ran in the group. Raises OSError when the group is gone."""
    text = counter.read_text()
    if counter.name == "cpuacct.usage":
        return int(text) / 1e9
    return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6

"""What the engine's programs wait for in the kernel: `python -m tests.benchmarks.engine_waits [--episodes 8]`.

Takes the number of episodes, plays so many smoke episodes of colonel-blotto in Docker with one job and then with two,
prints for each the milliseconds of an episode that dockerd, containerd, its shims and runc slept in the kernel where
nothing but the kernel could wake them (a disk, a lock, a grace period of RCU), by program and place. Waits of several
programs at once count each, and so may exceed the episode's time. Needs root, bpftrace, cgroup v2 mounted somewhere
(it only tells these programs from all others), and an engine that nobody else uses; `--pids` names another's daemons.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROBE = """
tracepoint:sched:sched_switch /(args->prev_state & 2) && cgroup == cgroupid("{group}")/
{{ @since[args->prev_pid] = nsecs; @stack[args->prev_pid] = kstack(16); }}
tracepoint:sched:sched_wakeup /@since[args->pid]/
{{ @us[args->comm, @stack[args->pid]] = sum((nsecs - @since[args->pid]) / 1000);
   delete(@since[args->pid]); delete(@stack[args->pid]); }}
END {{ clear(@since); clear(@stack); }}
"""
WAIT = re.compile(r"^@us\[([^,\n]+), \n(.*?)\n\]: (\d+)$", re.DOTALL | re.MULTILINE)
PLACES = {
    "cgroup_procs_write_start": "a program enters a cgroup (RCU; no other may begin or end meanwhile)",
    "kernel_clone": "a program begins",
    "blkdev_issue_discard": "a file is removed (the disk forgets its blocks)",
    "do_fsync": "a file is made safe (fsync)",
    "ext4_sync_file": "a file is made safe (O_SYNC)",
    "ovl_sync_fs": "a container's layer is unmounted (all of it is written)",
    "namespace_unlock": "a mount is removed (RCU)",
    "kern_unmount_array": "a mount is removed (RCU)",
}
"""What a kernel function among those that wait means; the first that is found."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=8)
    parser.add_argument("--pids", type=int, nargs="*", help="of dockerd and containerd; else those that run")
    asked = parser.parse_args()
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    unified = next((Path(words[1]) for words in mounts if words[2] == "cgroup2"), None)
    if os.geteuid() or unified is None:
        sys.exit("needs root and a mounted cgroup v2")
    found = subprocess.run(["pidof", "dockerd", "containerd"], capture_output=True, text=True, check=False)
    with told_apart(unified, asked.pids or [int(pid) for pid in found.stdout.split()]) as group:
        tables = [waits(group, jobs, asked.episodes) for jobs in (1, 2)]
    print(f"{'ms of an episode':16} {'':76}   one   two")
    for name in sorted(tables[0] | tables[1], key=lambda name: -tables[1][name]):
        if max(tables[0][name], tables[1][name]) >= 1:
            print(f"{name[0]:16} {name[1]:76} {tables[0][name]:5.0f} {tables[1][name]:5.0f}")
    print(f"{'all':93} {sum(tables[0].values()):5.0f} {sum(tables[1].values()):5.0f}")


@contextmanager
def told_apart(unified: Path, pids: list[int]) -> Iterator[Path]:
    """A group of these daemons and all that they start from now on; it limits nothing."""
    group = unified / "gymboard-waits"
    group.mkdir(exist_ok=True)
    before = {}
    for pid in pids:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        before[pid] = unified / next(line for line in lines if line.startswith("0::"))[4:]
        (group / "cgroup.procs").write_text(str(pid))
    try:
        yield group
    finally:
        for pid, was in before.items():
            (was / "cgroup.procs").write_text(str(pid))
        for pid in (group / "cgroup.procs").read_text().split():
            (unified / "cgroup.procs").write_text(pid)
        group.rmdir()


def waits(group: Path, jobs: int, episodes: int) -> dict[tuple[str, str], float]:
    """Milliseconds of an episode by program and place."""
    probe = subprocess.Popen(["bpftrace", "-e", PROBE.format(group=group)], stdout=subprocess.PIPE, text=True)
    time.sleep(5.0)  # it listens
    with tempfile.TemporaryDirectory() as runs:
        words = ["--tasks", "colonel-blotto", "--profile", "smoke", "--sandbox", "docker", "--seeds", str(episodes)]
        words += ["--jobs", str(jobs), "--runs", runs, "--run", "waits"]
        subprocess.run([sys.executable, "-m", "gymboard", "run", *words], check=True, stdout=subprocess.DEVNULL)
    probe.send_signal(signal.SIGINT)
    spent: dict[tuple[str, str], float] = defaultdict(float)
    for program, stack, microseconds in WAIT.findall(probe.communicate()[0]):
        spent[program, place(stack)] += int(microseconds) / 1000 / episodes
    return spent


def place(stack: str) -> str:
    """In words, or by the kernel's own names."""
    calls = [line.strip().partition("+")[0] for line in stack.splitlines()]
    words = next((PLACES[call] for call in PLACES if call in calls), None)
    return words or " < ".join(call for call in calls if "schedule" not in call)[:76]


if __name__ == "__main__":
    main()

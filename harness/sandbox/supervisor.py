"""The parent of everything that runs in a local place: starts one program and outlives it, so that nothing escapes.

Runs as its own process (`python -I -S supervisor.py ORDER`), standard library only. As a child subreaper it inherits
double-forked children, so the tree below it is complete; it reports the program's exit status on one pipe, and when the
other pipe closes (the harness is done, or dead) it kills the tree and ends. Never reads what the program writes.

As root it also gives the place a process namespace with its own /proc and no network but a loopback, and takes all
capabilities: `kill -9 -1` in there reaches nobody else. Without that it refuses to run anything as root.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x20000000, 0x40000000
MS_REC_PRIVATE, MS_REC_BIND, MS_NOSUID_NODEV_NOEXEC = 0x4000 | 1 << 18, 0x4000 | 0x1000, 2 | 4 | 8
SIOCSIFFLAGS, IFF_UP = 0x8914, 1  # netdevice(7)
CAPABILITIES = 64


def parents() -> dict[int, tuple[int, int]]:
    """Every process of the machine: pid -> (parent's pid, start in clock ticks since boot)."""
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - this file is run hundreds of times; pathlib costs twice as much
        if name.isdigit():
            with contextlib.suppress(OSError):
                fields = stat_fields(int(name))
                found[int(name)] = (int(fields[1]), int(fields[19]))
    return found


def stat_fields(pid: int) -> list[str]:
    """/proc/<pid>/stat from the state on (proc(5): field 3 is index 0). Raises OSError when the process is gone."""
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()


def descendants(root: int) -> dict[int, int]:
    """Processes below `root`: pid -> start in clock ticks since boot."""
    everyone = parents()
    found: dict[int, int] = {}
    growing = True
    while growing:
        new = {p: s for p, (up, s) in everyone.items() if p not in found and (up == root or up in found)}
        found |= new
        growing = bool(new)
    return found


def send(pids: list[int], number: int) -> None:
    """Signal each; one that is gone is what we wanted."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_tree(root: int, limit_s: float) -> bool:
    """Stop, then kill, everything below `root` until nothing is left; whether that came true in time."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        living = [pid for pid in descendants(root) if not _is_zombie(pid)]
        if not living:
            return True
        send(living, signal.SIGSTOP)
        send([pid for pid in descendants(root) if not _is_zombie(pid)], signal.SIGKILL)
        _reap()
        time.sleep(0.002)
    return False


def _is_zombie(pid: int) -> bool:
    try:
        return stat_fields(pid)[0] == "Z"
    except OSError:
        return True


def _reap() -> dict[int, int]:
    """Collect the dead children of this process, if it has any."""
    dead = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            dead[pid] = os.waitstatus_to_exitcode(status)
    return dead


def _become(order: dict[str, Any]) -> None:
    """In the forked child: take the limits, drop the user, and turn into the program."""
    libc = ctypes.CDLL(None, use_errno=True)
    os.setsid()
    for name, value in order["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    os.umask(order["umask"])
    for capability in range(CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if order["uid"] is not None:
        os.setgroups([])
        os.setgid(order["uid"])
        os.setuid(order["uid"])
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.chdir(order["cwd"])
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.closerange(3, 256)
    os.execvpe(order["argv"][0], order["argv"], order["env"])  # noqa: S606 - running it is this file's purpose


def _fork(run: Callable[[dict[str, Any]], None], order: dict[str, Any]) -> int:
    """A child that does `run`, which does not return; its standard streams are let go here."""
    child = os.fork()
    if child == 0:
        try:
            run(order)
        except BaseException as error:
            os.write(2, f"cannot start {order['argv'][0]}: {error}\n".encode())
        finally:
            os._exit(127)
    quiet = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(quiet, standard)
    return child


def _isolate(libc: ctypes.CDLL) -> bool:
    """The next child is the first of a process namespace whose only network is a loopback of its own, as in a container
    without network; false when the kernel does not let us."""
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWPID | CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    return True


def _closed(needed: list[str]) -> dict[str, list[str]]:
    """Folders that other users cannot enter -> the needed folders below each."""
    below: dict[str, list[str]] = {}
    for name in needed:
        if above := [str(path) for path in reversed(Path(name).parents) if not path.stat().st_mode & 0o001]:
            below.setdefault(above[0], []).append(name)
    return below


def _open_ways(libc: ctypes.CDLL, needed: list[str]) -> None:
    """In a mount namespace of our own: cover each closed folder (root's home) by an empty one that shows what is needed
    below it and nothing else. Raises OSError."""

    def must(result: int, what: str) -> None:
        if result != 0:
            raise OSError(f"{what}: {os.strerror(ctypes.get_errno())}")

    for cover, names in _closed(needed).items():
        handles = {name: os.open(name, os.O_PATH) for name in names}
        must(libc.mount(b"none", cover.encode(), b"tmpfs", 0, b"mode=755"), f"cannot cover {cover}")
        for name, handle in handles.items():
            Path(name).mkdir(parents=True, exist_ok=True)
            source = f"/proc/self/fd/{handle}".encode()
            must(libc.mount(source, name.encode(), None, MS_REC_BIND, None), f"cannot show {name}")


def _first(order: dict[str, Any]) -> None:
    """In the first process of a namespace: its own /proc, the program as a child, and the end of all with its end."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # Here and not in the supervisor, which goes on counting in the machine's own /proc.
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "no mounts of its own")
    _open_ways(libc, order["reach"])
    if libc.mount(b"proc", b"/proc", b"proc", MS_NOSUID_NODEV_NOEXEC, None) != 0:
        raise OSError(ctypes.get_errno(), "no /proc of its own")
    signal.set_wakeup_fd(-1)
    program = _fork(_become, order)
    os.closerange(3, 256)
    while True:
        pid, status = os.wait()
        if pid == program:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def main() -> int:
    """Run the order given as JSON in the first argument; ends when its control pipe does."""
    order = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    isolated = _isolate(libc)
    if not isolated and os.geteuid() == 0 and (closed := _closed(order["reach"])):
        named = ", ".join(closed)
        sys.exit(f"an unprivileged user cannot enter {named}; set GYMBOARD_HOME elsewhere, or do not run as root")
    wake_out, wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_in)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    child = _fork(_first if isolated else _become, order)
    while order["control"] not in select.select([order["control"], wake_out], [], [])[0]:
        with contextlib.suppress(BlockingIOError):
            os.read(wake_out, 4096)
        if (code := _reap().get(child)) is not None:
            os.write(order["status"], f"{code}\n".encode())
    return 0 if kill_tree(os.getpid(), limit_s=30) else 1


if __name__ == "__main__":
    sys.exit(main())

"""A real Ray cluster on this machine: each node `ray start` processes of its own, with an address on loopback and a
temporary folder of its own.

    with cluster(tmp) as nodes:
        far = nodes.start(hidden=folder)    # a node that has an empty folder there: a machine without the shared path
        nodes.address                       # for --address
        far.kill()                          # every process of it, at once, with SIGKILL

Everything that a node started is found by a word in its environment, so that nothing is left behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MARK = "GYMBOARD_TEST_NODE"
RAY = Path(sys.executable).with_name("ray")
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),  # else Ray writes one into the home folder
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "2000",
    "RAY_health_check_timeout_ms": "20000",
    "RAY_health_check_failure_threshold": "4",
    "RAY_worker_register_timeout_seconds": "300",
}
STORE_BYTES, MEMORY_BYTES = 80 << 20, 16 << 30
START_S, TRIES = 120.0, 3
TITLE = "ray::gymboard "
"""How Ray calls a process that plays an episode, before its key."""


def environment(**more: str) -> dict[str, str]:
    """This process's, with the repository's code first and without keys."""
    plain = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return {**plain, "PYTHONPATH": str(ROOT), **SETTINGS, **more}


@dataclass
class Node:
    """One node; `mark` is in the environment of each of its processes."""

    mark: str
    folder: Path
    starter: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        """Its processes that live."""
        found = []
        wanted = f"{MARK}={self.mark}".encode()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    def workers(self) -> dict[str, int]:
        """The episodes that it plays at this moment, and the processes that do."""
        found = {}
        for pid in self.pids():
            with suppress(OSError):
                title = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()
                if title.startswith(TITLE):
                    found[title.removeprefix(TITLE)] = pid
        return found

    def kill(self) -> None:
        """As if the power failed."""
        while pids := self.pids():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.starter.poll()
            time.sleep(0.05)
        self.starter.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Nodes:
    """The cluster's nodes. The first that starts is its head."""

    log: Path
    port: int
    nodes: list[Node] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.2:{self.port}"

    def start(
        self, *, cpus: int = 2, hidden: Path | None = None, env: Mapping[str, str] | None = None, cwd: Path = ROOT
    ) -> Node:
        """A node; `hidden`: a folder that is empty for it. Ray gives a raylet half a minute: a busy machine needs it
        again."""
        for _ in range(TRIES):
            node = self._begun(cpus, hidden, env or {}, cwd)
            if self._joins(node):
                self.nodes.append(node)
                return node
            node.kill()
        raise RuntimeError(f"no node starts:\n{self.log.read_text(errors='replace')[-3000:]}")

    def _begun(self, cpus: int, hidden: Path | None, env: Mapping[str, str], cwd: Path) -> Node:
        number, mark = len(self.nodes) + 1, secrets.token_hex(8)
        folder = Path(tempfile.mkdtemp(prefix="ray-"))
        own = ["--head", "--port", str(self.port), "--include-dashboard", "false"] if number == 1 else []
        own += [] if number == 1 else ["--address", self.address]
        words = [str(RAY), "start", *own, "--block", "--node-ip-address", f"127.0.0.{number + 1}"]
        words += ["--num-cpus", str(cpus), "--num-gpus", "0", "--memory", str(MEMORY_BYTES)]
        words += ["--object-store-memory", str(STORE_BYTES), "--temp-dir", str(folder), "--disable-usage-stats"]
        if hidden is not None:
            hide = f'mount -t tmpfs none "{hidden}" && exec "$@"'
            words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh", *words]
        with self.log.open("ab") as log:
            starter = subprocess.Popen(
                words,
                env={**environment(**{MARK: mark}), **env},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return Node(mark, folder, starter)

    def _joins(self, node: Node) -> bool:
        """Whether the cluster comes to know it; one interpreter looks, for each takes as long as a node to start."""
        looker, deadline = self._looker(), time.monotonic() + START_S
        try:
            while node.starter.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
                if looker.poll() == 0:
                    return True
                if looker.poll() is not None:  # there was no head yet
                    looker = self._looker()
            return False
        finally:
            looker.kill()
            looker.wait()

    def _looker(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", JOINED, self.address, f"127.0.0.{len(self.nodes) + 2}"]
        return subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self) -> None:
        for node in reversed(self.nodes):
            node.kill()


JOINED = """
import socket, sys, time
host, _, port = sys.argv[1].rpartition(":")
while True:
    try:
        socket.create_connection((host, int(port))).close()
        break
    except OSError:
        time.sleep(0.2)
from ray._raylet import GcsClient
cluster = GcsClient(address=sys.argv[1])
while not any(
    node.node_manager_address == sys.argv[2] and node.state == 0 for node in cluster.get_all_node_info().values()
):
    time.sleep(0.2)
"""
"""Ends when a node with this address lives."""


@contextmanager
def cluster(folder: Path) -> Iterator[Nodes]:
    """No node yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.2", 0))
        port = free.getsockname()[1]
    nodes = Nodes(folder / "ray.log", port)
    try:
        yield nodes
    finally:
        nodes.close()

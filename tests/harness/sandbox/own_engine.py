"""A container engine of a test's own, to be killed and started again: the machine's stays as it is.

Takes a folder, gives dockerd with roots, a socket and a containerd of its own, which outlives it as the system's does.
Needs root, dockerd and containerd.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import docker
import pytest

from harness import images

START_S = 180


class OwnEngine:
    """One dockerd. `folder` must be short: a socket's path has at most 107 bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/docker.sock"
        (folder / "daemon.json").write_text("{}")
        (folder / "containerd.toml").write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        self._process: subprocess.Popen[bytes]
        self._below: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._below is None:
            at = [
                f"--address={self.folder}/containerd.sock",
                f"--root={self.folder}/images",
                f"--state={self.folder}/run",
            ]
            self._below = self._program("containerd", [*at, f"--config={self.folder}/containerd.toml"])
        words = [f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec", f"--pidfile={self.folder}/pid"]
        words += [f"--host={self.host}", f"--config-file={self.folder}/daemon.json", "--bridge=none"]
        words += ["--iptables=false", "--ip6tables=false", f"--containerd={self.folder}/containerd.sock"]
        # In a network namespace of its own: with --bridge=none a dockerd removes docker0, which would be the machine's.
        self._process = self._program("unshare", ["--net", "--", "dockerd", *words])
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the test's own engine does not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """As a crash does it: the daemon alone, at once; what runs in it is not asked."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """To the end of its last container, mount and file."""
        for process in filter(None, (self._process, self._below)):
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in self._shims():
            os.kill(pid, signal.SIGKILL)
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((name for name in mounts if name.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=True)
        shutil.rmtree(self.folder)

    def load(self, family: str) -> None:
        """The machine's own image, under its own tag."""
        save = subprocess.Popen(["docker", "save", images.image_tag(family)], stdout=subprocess.PIPE)
        subprocess.run(["docker", "--host", self.host, "load", "--quiet"], stdin=save.stdout, check=True)
        assert save.wait() == 0

    def client(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=self.host)

    def _program(self, name: str, words: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [name, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def _shims(self) -> list[int]:
        """What still names our containerd as the one that it belongs to."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"{self.folder}/containerd.sock".encode() in words and b"containerd-shim" in words:
                found.append(int(entry.name))
        return found

    def _answers(self) -> bool:
        try:
            self.client().ping()
        except Exception:
            return False
        return True


def lacking() -> str:
    """Why no engine of our own can be started here; empty when one can."""
    if os.geteuid() != 0:
        return "only root can start a container engine of its own"
    missing = [name for name in ("dockerd", "containerd", "unshare") if not shutil.which(name)]
    return f"there is no {missing[0]} to start" if missing else ""

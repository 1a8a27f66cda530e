"""A container engine of a test's own, to be killed and started again: the machine's stays as it is.

Takes a folder, gives dockerd with its own roots, socket and containerd. Needs root and dockerd.
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

START_S = 60


class OwnEngine:
    """One dockerd. `folder` must be short: a socket's path has at most 107 bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/docker.sock"
        (folder / "daemon.json").write_text("{}")
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        words = [f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec", f"--pidfile={self.folder}/pid"]
        words += [f"--host={self.host}", f"--config-file={self.folder}/daemon.json", "--bridge=none"]
        words += ["--iptables=false", "--ip6tables=false", f"--containerd-namespace={self.folder.name}"]
        words += [f"--containerd-plugins-namespace={self.folder.name}-plugins"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["dockerd", *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = (self.folder / "log").read_text()[-2000:]
                pytest.fail(f"the test's own engine does not start: {tail}")
            time.sleep(0.05)

    def kill(self) -> None:
        """As a crash does it: the daemon alone, at once; what runs in it is not asked."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """To the end of its last container and of its containerd."""
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
        for pid in self._processes():
            os.kill(pid, signal.SIGKILL)

    def load(self, family: str) -> None:
        """The machine's own image, under its own tag."""
        save = subprocess.Popen(["docker", "save", images.image_tag(family)], stdout=subprocess.PIPE)
        subprocess.run(["docker", "--host", self.host, "load", "--quiet"], stdin=save.stdout, check=True)
        assert save.wait() == 0

    def client(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=self.host)

    def _processes(self) -> list[int]:
        """Shims and the containerd that name our folder; nothing else does."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].startswith((b"containerd", b"/usr/bin/containerd")) and any(
                word.startswith(bytes(self.folder)) for word in words
            ):
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
    return "" if shutil.which("dockerd") else "there is no dockerd to start"

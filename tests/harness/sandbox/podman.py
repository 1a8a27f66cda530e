"""Podman as the engine: its Docker-compatible service on a socket of the test's own, over the machine's storage.

Takes nothing, gives what DOCKER_HOST is set to. The image is built there once, or taken from Docker where that has it.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

from harness import images

START_S = 60
CONFIGURATION = """
[containers]
default_ulimits = ["nofile={files}:{files}"]
[engine]
cgroup_manager = "{manager}"
events_logger = "file"
"""


def lacking() -> str:
    """Why there is no Podman to try; empty when there is one."""
    if os.geteuid() != 0:
        return "tried as root only"
    missing = [name for name in ("podman", "/usr/libexec/podman/catatonit") if not shutil.which(name)]
    return f"{missing[0]} is not installed (Debian: apt-get install podman catatonit)" if missing else ""


@contextmanager
def podman_service() -> Iterator[str]:
    """Podman's API as long as the context lasts; gives the socket's URL."""
    with tempfile.TemporaryDirectory(prefix="gb.") as made:
        folder, files = Path(made), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        host, manager = (
            f"unix://{folder}/podman.sock",
            "systemd" if Path("/run/systemd/system").is_dir() else "cgroupfs",
        )
        (folder / "containers.conf").write_text(CONFIGURATION.format(files=files, manager=manager))
        with (folder / "log").open("wb") as log:
            service = subprocess.Popen(
                ["podman", "system", "service", "--time=0", host],
                env={**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")},
                stdout=log,
                stderr=log,
            )
        try:
            _await(host, folder / "log")
            yield host
        finally:
            service.terminate()
            service.wait(60)


def give_image(host: str, family: str) -> None:
    """The family's image under its own tag, from Docker when that has it; else the caller builds it."""
    tag = images.image_tag(family)
    if docker.DockerClient(base_url=host).images.list(name=tag) or not shutil.which("docker"):
        return
    if subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False).returncode:
        return
    save = subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE)
    subprocess.run(["podman", "load", "--quiet"], stdin=save.stdout, check=True, stdout=subprocess.DEVNULL)
    assert save.wait() == 0


def _await(host: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            docker.DockerClient(base_url=host).ping()
        except docker.errors.DockerException:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return

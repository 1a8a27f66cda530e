"""The official image families: one folder under tasks/images/ each, built once and found by what it is made of.

Takes an image's name (a family's, or a family's with -cuda behind it); gives a container image (docker engine) or a
virtual environment (local engine) made from the same requirements. Never installs anything that requirements.txt does
not name by hash or, where a family has it, unhashed.txt by version (builds that PyTorch publishes on its own index);
where packages come from is otherwise the machine's own pip setting. The CUDA variant is the same Dockerfile with
requirements-cuda.txt in the place of requirements.txt: every package of the family at the same version, and the GPU's.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.engine import START_WAIT_S, connect
from harness.errors import ImageError
from harness.home import home
from harness.schema.task import tasks_root
from harness.turn import turn

if TYPE_CHECKING:
    from docker import DockerClient

Log = Callable[[str], None]
PARTS = ("Dockerfile", "requirements.txt", "unhashed.txt")
LOCKED, UNHASHED = PARTS[1:]
CUDA = "-cuda"
CUDA_LOCKED = "requirements-cuda.txt"
LABEL = "gymboard.family"
BUILD_COMMAND = "gymboard images build"


def families() -> list[str]:
    """Every folder of tasks/images that holds a Dockerfile and its requirements."""
    folders = (tasks_root() / "images").glob("*/Dockerfile")
    return sorted(file.parent.name for file in folders if (file.parent / LOCKED).is_file())


def names() -> list[str]:
    """Every image: the families, and after each its CUDA variant where there is one."""
    both = ((family, cuda_variant(family)) for family in families())
    return [name for pair in both for name in pair if name]


def cuda_variant(family: str) -> str | None:
    """The name of the family's CUDA image; None when its tasks have no use for a GPU."""
    return family + CUDA if (tasks_root() / "images" / family / CUDA_LOCKED).is_file() else None


def image_tag(family: str) -> str:
    """`gymboard/<family>:<12 hex>`, the digest being that of the family's Dockerfile and requirements."""
    digest = hashlib.sha256()
    for name, content in _parts(family).items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"gymboard/{family}:{digest.hexdigest()[:12]}"


def image_id(family: str, client: DockerClient | None = None) -> str:
    """`sha256:...` of the built image. Raises ImageError naming the command that builds it."""
    from docker.errors import ImageNotFound

    tag = image_tag(family)
    try:
        return str((client or connect()).images.get(tag).id)
    except ImageNotFound:
        raise ImageError(f"image {tag} is not on this machine; build it: {BUILD_COMMAND} {family}") from None


def build(family: str, base_image: str | None, log: Log) -> str:
    """Build the family's image unless it is there; one process of this machine at a time. `base_image` stands in for
    the Dockerfile's own base (default: the environment's GYMBOARD_BASE_IMAGE). Gives the image id; the build's lines
    go to `log`. Raises ImageError."""
    client, tag = connect(START_WAIT_S), image_tag(family)
    if found := client.images.list(name=tag):
        return str(found[0].id)
    with turn(tag, log):
        if not client.images.list(name=tag):
            _build(client, family, base_image or os.environ.get("GYMBOARD_BASE_IMAGE"), log)
    return image_id(family, client)


def _build(client: DockerClient, family: str, base: str | None, log: Log) -> None:
    tag = image_tag(family)
    lines = client.api.build(
        fileobj=_context(family),
        custom_context=True,
        tag=tag,
        rm=True,
        forcerm=True,
        decode=True,
        labels={"gymboard": "1", LABEL: family},
        buildargs={"BASE_IMAGE": base} if base else {},
    )
    for line in lines:
        if text := str(line.get("stream", "")).rstrip():
            log(text)
        if error := line.get("error"):
            raise ImageError(
                f"{tag} does not build: {error.strip()}. See the lines above; then {BUILD_COMMAND} {family}"
            )


def environment_digest(family: str) -> str:
    """`sha256:...` of what the local environment is: locked requirements, interpreter, machine."""
    made_of = (platform.python_implementation(), platform.python_version(), sys.platform, platform.machine())
    parts = _parts(family)
    return (
        "sha256:" + hashlib.sha256("\0".join(made_of).encode() + parts[LOCKED] + parts.get(UNHASHED, b"")).hexdigest()
    )


def environment_folder(family: str) -> Path:
    """The built local environment. Raises ImageError naming the command that builds it."""
    folder = _environment(family)
    if not (folder / "bin" / "python").exists():
        raise ImageError(
            f"no local environment for {family!r} in {folder}; build it: {BUILD_COMMAND} {family} --for local"
        )
    return folder


def environment(family: str, log: Log) -> Path:
    """Build the family's virtual environment unless it is there, one process of this machine at a time: beside its
    place, then renamed. Raises ImageError."""
    folder = _environment(family)
    if not (folder / "bin" / "python").exists():
        with turn(folder.name, log):
            if not (folder / "bin" / "python").exists():
                _make(folder, family, log)
    return folder


def _make(folder: Path, family: str, log: Log) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise ImageError(
            f"{sys.executable} has no ensurepip, so it cannot make a virtual environment; install it "
            f"(Debian: apt-get install python3-venv), then: {BUILD_COMMAND} {family} --for local"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        beside.chmod(0o755)
        _install(beside, family, log)
        _settle(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _install(folder: Path, name: str, log: Log) -> None:
    files = _files(name)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    commands = [
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [*pip, "--require-hashes", "-r", str(files[LOCKED])],
    ]
    if UNHASHED in files:
        commands.append([*pip, "--no-deps", "-r", str(files[UNHASHED])])
    for command in commands:
        log(" ".join(command))
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            tail = "\n".join(done.stdout.splitlines()[-15:])
            raise ImageError(f"the local environment for {name!r} does not build; `{' '.join(command)}` said:\n{tail}")


def _settle(beside: Path, folder: Path) -> None:
    """Rename into place, scripts' first lines with it. Another process that was faster built the same: its stays."""
    for script in (beside / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            script.write_bytes(script.read_bytes().replace(str(beside).encode(), str(folder).encode()))
    try:
        beside.rename(folder)
    except OSError:
        if not (folder / "bin" / "python").exists():
            raise


def _environment(family: str) -> Path:
    return home() / "environments" / f"{family}-{environment_digest(family)[7:19]}"


def _files(name: str) -> dict[str, Path]:
    """What the image is made of: name in the build's folder -> file. Raises ImageError for a stranger."""
    if name not in names():
        raise ImageError(f"no image family {name!r}; the families of tasks/images are: {', '.join(names())}")
    folder = tasks_root() / "images" / name.removesuffix(CUDA)
    if name.endswith(CUDA):
        return {"Dockerfile": folder / "Dockerfile", LOCKED: folder / CUDA_LOCKED}
    return {part: folder / part for part in PARTS if (folder / part).is_file()}


def _parts(name: str) -> Mapping[str, bytes]:
    return {part: file.read_bytes() for part, file in _files(name).items()}


def _context(family: str) -> io.BytesIO:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        for name, content in {UNHASHED: b"", **_parts(family)}.items():  # a Dockerfile may name it, the variant not
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    context.seek(0)
    return context

"""What a container sees of this machine: folders of a spec and its own names, all of it read-only.

Takes host folders, gives the engine's mounts, or a refusal where the container's user could not read one. Never mounts
anything writable.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from docker.types import Mount

from harness.errors import SandboxError, in_words
from harness.files import replace_file
from harness.home import home

PLACE = "/etc/hosts"
NAMES = b"""\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


def names() -> Mount:
    """/etc/hosts as an engine writes it where it makes a network, without any other machine's name: a file of ours
    beside prepared data, made when it is not there. Raises SandboxError."""
    file = home() / "hosts"
    try:
        if not file.is_file() or file.read_bytes() != NAMES:
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, NAMES)
    except OSError as error:
        raise SandboxError(
            f"{file} cannot be written ({in_words(error, file)}); let GYMBOARD_HOME be a folder of yours"
        ) from error
    return Mount(PLACE, str(file), type="bind", read_only=True)


def binds(folders: Mapping[str, Path], places: Mapping[str, str]) -> list[Mount]:
    """Read-only binds. Raises SandboxError when the container's unprivileged user could not read one."""
    for name, folder in folders.items():
        for path in [folder, *(folder.iterdir() if folder.is_dir() else ())]:
            needed = 0o5 if path.is_dir() else 0o4
            if not path.exists() or path.stat().st_mode & needed != needed:
                raise SandboxError(
                    f"the mount {name!r} has {path}, which the container's user cannot read; "
                    f"let others read it (chmod -R o+rX {folder})"
                )
    return [Mount(places[name], str(folder.resolve()), type="bind", read_only=True) for name, folder in folders.items()]

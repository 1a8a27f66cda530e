"""The names that a container without any network knows: its own, as an engine writes them where it makes the network.

Takes nothing, gives a file to mount at /etc/hosts. Never names another machine.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from docker.types import Mount

from harness.sandbox.owner import folder_prefix

PLACE = "/etc/hosts"
NAMES = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


class Hosts:
    """One file for all containers of an engine, in a temporary folder of this process's that close() removes."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=folder_prefix(), ignore_cleanup_errors=True)
        self._file = Path(self._folder.name) / "hosts"
        self._file.write_text(NAMES)
        self._file.chmod(0o644)

    def mount(self) -> Mount:
        """Read-only."""
        return Mount(PLACE, str(self._file), type="bind", read_only=True)

    def close(self) -> None:
        """The file is gone; containers that have it keep it. Safe to call twice."""
        self._folder.cleanup()

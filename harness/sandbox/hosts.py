"""The names that a container without any network knows: its own, as an engine writes them where it makes the network.

Takes nothing, gives a file to mount at /etc/hosts, which lies where prepared data does. Never names another machine.
"""

from __future__ import annotations

from docker.types import Mount

from harness.errors import SandboxError
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


def hosts_mount() -> Mount:
    """The one file of all containers, read-only; written when it is not there. Raises SandboxError."""
    file = home() / "hosts"
    try:
        if not file.is_file() or file.read_bytes() != NAMES:
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, NAMES)
    except OSError as error:
        raise SandboxError(
            f"{file} cannot be written ({error.strerror}); let GYMBOARD_HOME be a folder of yours"
        ) from error
    return Mount(PLACE, str(file), type="bind", read_only=True)

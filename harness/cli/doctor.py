"""`gymboard doctor`: what this machine has, and what to do about what it lacks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable

import typer

from harness.cli.common import AsJson


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can do; nothing is changed.

    Example: gymboard doctor

    Exit codes: 0 it can run and sign in at least the local sandbox, 1 it cannot.
    """
    from harness.cli.common import emit

    checks: list[tuple[str, bool, Callable[[], str]]] = [
        ("python", True, lambda: sys.version.split()[0]),
        ("ssh-keygen (signing)", True, _ssh),
        ("home (data, environments)", True, _home),
        ("container engine", False, _engine),
        ("cpu image", False, _image),
        ("cpu environment (local sandbox)", False, _environment),
        ("GPUs for agents' containers (--gpus)", False, _gpus),
        ("site packages (mkdocs, altair)", False, _site),
        ("submit (github3.py, a token)", False, _submit),
    ]
    found = []
    for what, needed, look in checks:
        try:
            found.append({"what": what, "needed": needed, "ok": True, "found": look()})
        except Exception as error:  # a doctor reports every ailment, whatever raised it
            found.append({"what": what, "needed": needed, "ok": False, "found": " ".join(str(error).split())})
    if as_json:
        emit(found)
    else:
        for row in found:
            mark = "ok     " if row["ok"] else "MISSING" if row["needed"] else "absent "
            typer.echo(f"{mark} {row['what']}: {row['found']}")
    raise typer.Exit(int(any(row["needed"] and not row["ok"] for row in found)))


def _ssh() -> str:
    path = shutil.which("ssh-keygen")
    if path is None:
        raise RuntimeError("not found: install openssh-client")
    return path


def _home() -> str:
    from harness.files import is_open, nearest
    from harness.home import home

    if not is_open(there := nearest(home())):
        raise RuntimeError(f"nothing can be written in {there}: set GYMBOARD_HOME to a folder of yours")
    return str(home())


def _engine() -> str:
    from harness.engine import connect
    from harness.sandbox.room import Room

    client = connect()
    room, version = Room.of(client), client.version()
    name = next((part["Name"] for part in version.get("Components", ())), "Engine").replace("Engine", "engine")
    free = "" if room.disk is None else f", {room.free_disk_mib / 1024:.0f} GiB free in {room.disk}"
    return (
        f"{name} {version['Version']}, {room.memory_mib / 1024:.1f} GiB of memory{free}; runs can reach level regraded"
    )


def _gpus() -> str:
    from harness.sandbox import open_engine
    from harness.sandbox.gpus import Gpus

    with open_engine("docker", Gpus()) as engine:
        return ", ".join(engine.gpu_names())


def _image() -> str:
    from harness.cli.images import built

    return built("cpu", "docker")


def _environment() -> str:
    from harness.cli.images import built

    return built("cpu", "local")


def _site() -> str:
    import altair
    import mkdocs

    return f"mkdocs {mkdocs.__version__}, altair {altair.__version__}"


def _submit() -> str:
    from importlib.metadata import version

    from harness.submit.server import Server, find_token

    found = f"github3.py {version('github3.py')}"
    return f"{found}; the token of {find_token(Server.at('https://github.com')).source}"

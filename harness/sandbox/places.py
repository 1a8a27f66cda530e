"""Names inside a place: environment variables and argument placeholders of a spec. Pure; starts nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from harness.sandbox.base import Caps

SHARED = "shared"


def fill(text: str, places: Mapping[str, str]) -> str:
    """`{name}` becomes the place of the mount called `name`; every other brace stays."""
    for name, place in places.items():
        text = text.replace(f"{{{name}}}", place)
    return text


def reach_of(venv: Path, *folders: Path) -> list[Path]:
    """Every folder that a local program must be able to enter: interpreter, environment, and its own `folders`."""
    interpreter = (venv / "bin" / "python").resolve().parents[1]
    return [path.resolve() for path in (interpreter, venv, *folders)]


def environment_of(
    given: Mapping[str, str], places: Mapping[str, str], caps: Caps, home: str, path: str
) -> dict[str, str]:
    """The whole environment of a program, made from nothing so that none of the host's leaks.

    `places` is name -> folder as the program sees it; each appears as GYMBOARD_<NAME>. The thread count follows the
    cpus, because libraries count the host's cores and then wait for each other.
    """
    named = {f"GYMBOARD_{name.upper().replace('-', '_')}": place for name, place in places.items()}
    base = {"PATH": path, "HOME": home, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    threads = {"OMP_NUM_THREADS": str(max(1, math.ceil(caps.cpus)))}
    return base | threads | named | {key: fill(value, places) for key, value in given.items()}

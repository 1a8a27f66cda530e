"""Our scripts as a browser gets them: every module of assets/js in one file, which every page loads once.

Takes a built site, writes assets/gymboard.js and removes the modules; a module stands behind those that it imports.
Names at the top of modules live side by side in one scope: the minifier refuses a name that two of them declare. Never
touches what another project wrote (assets/js/vendor).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.errors import GymboardError

SCRIPT = "assets/gymboard.js"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+)\.js";\n', re.M)
_EXPORT = re.compile(r"^export (?=const |function |async function |class )", re.M)
_LEFT = re.compile(r"^(?:import|export)\b.*$|\bimport\.meta\b", re.M)


def join(built: Path) -> None:
    """In place. Raises GymboardError for a module that cannot be joined."""
    files = sorted((built / "assets" / "js").glob("*.js"))
    text = joined({file.stem: file.read_text(encoding="utf-8") for file in files})
    (built / SCRIPT).write_text(text, encoding="utf-8")
    for file in files:
        file.unlink()


def joined(modules: Mapping[str, str]) -> str:
    """One script that does what the modules (name -> text) do, each once, those without imports first."""
    done: dict[str, str] = {}
    for name in modules:
        _add(name, modules, done, ())
    return '(() => {\n"use strict";\n' + "\n".join(done.values()) + "})();\n"


def _add(name: str, modules: Mapping[str, str], done: dict[str, str], above: tuple[str, ...]) -> None:
    if name in done:
        return
    if name in above or name not in modules:
        raise GymboardError(
            f"assets/js/{above[-1]}.js imports {name}.js, which is {'above it' if name in above else 'not there'}"
        )
    for other in _IMPORT.findall(modules[name]):
        _add(other, modules, done, (*above, name))
    text = _EXPORT.sub("", _IMPORT.sub("", modules[name]))
    if left := _LEFT.search(text):
        raise GymboardError(f"assets/js/{name}.js cannot be joined: {left[0]}")
    done[name] = text

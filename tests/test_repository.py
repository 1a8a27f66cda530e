"""Promises that the repository as a whole makes: whole locks, no addresses, pinned actions, the licence."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DEBIAN_PYTHON = "3.11.2"  # python3 of Debian 12, the oldest machine that the README promises


def locked(name: str) -> dict[str, str]:
    """Package -> version of one lock, each with at least one digest."""
    pins = {}
    for block in re.split(r"\n(?=\S)", (ROOT / "requirements" / f"{name}.txt").read_text()):
        if block.startswith("#"):
            continue
        pin = re.match(r"([a-z0-9.-]+)==(\S+)", block)
        assert pin and re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
        pins[str(canonicalize_name(pin[1]))] = pin[2]
    return pins


@pytest.mark.parametrize(("lock", "extras"), [("run", ["site"]), ("dev", ["site", "dev"])])
def test_the_lock_has_all_that_pyproject_asks_for(lock: str, extras: list[str]) -> None:
    pins = locked(lock)
    asked = [*PROJECT["dependencies"], *(text for extra in extras for text in EXTRAS[extra])]
    unmet = [
        text
        for text in asked
        if not (need := Requirement(text)).specifier.contains(pins.get(str(canonicalize_name(need.name)), "0"))
    ]
    assert not unmet, "run `make lock`"


def test_both_locks_agree_and_neither_carries_torch() -> None:
    run, dev = locked("run"), locked("dev")
    assert run.items() <= dev.items()
    assert not {"torch", "jax"} & dev.keys()


def test_everything_locked_installs_on_the_oldest_promised_python() -> None:
    installed = {str(canonicalize_name(d.name)): d for d in importlib.metadata.distributions()}
    refused = {}
    for name, version in locked("dev").items():
        if (there := installed.get(name)) and there.version == version:  # its own word counts, not another version's
            asks = there.metadata.get("Requires-Python") or ""
            if not SpecifierSet(asks).contains(DEBIAN_PYTHON):
                refused[name] = asks
    assert not refused


def test_no_tracked_file_names_a_package_index_or_a_place_on_the_authors_machine() -> None:
    hosts = [".".join(name) for name in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"))]
    words = re.compile("|".join(map(re.escape, [*hosts, "--index-" + "url", "/work" + "/wt", "/work" + "/shared"])))
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    guilty = []
    for name in tracked.decode().rstrip("\0").split("\0"):
        if (file := ROOT / name).is_file() and words.search(file.read_text(encoding="utf-8", errors="replace")):
            guilty.append(name)
    assert not guilty


def test_workflows_grant_nothing_by_default_and_pin_every_action() -> None:
    for file in (ROOT / ".github/workflows").glob("*.yml"):
        text = file.read_text()
        assert re.search(r"^permissions: \{\}$", text, re.MULTILINE), file.name
        assert not re.search(r"^\s*pull_request_target:", text, re.MULTILINE), file.name
        used = [
            action for action in re.findall(r"uses: (.*)", text) if not action.startswith("$/")
        ]  # this commit's own
        assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used), file.name

"""`gymboard tasks new`: every kind is proven at once and in the house's format; wrong calls make nothing."""

from __future__ import annotations

import importlib.util
import json
import sys

import pytest

from harness.errors import UsageError
from harness.scaffold import new_task
from tests.harness.authoring.conftest import Checkout

CLAIMS = importlib.util.find_spec("harness.grading.claims") is not None
KINDS = ["predictions", "play", pytest.param("claims", marks=pytest.mark.skipif(not CLAIMS, reason="no claims grader"))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_task_is_proven_at_once(checkout: Checkout, kind: str) -> None:
    made = checkout.sh(f"gymboard tasks new one-more --kind {kind}")
    assert made.returncode == 0, made.stderr
    done = checkout.sh("gymboard tasks check one-more --profile smoke --sandbox local --json")
    findings = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert {"baseline", "oracle", "nop", "starter buggy"} <= set(findings)
    assert len([what for what in findings if what.startswith("exploit ")]) >= 2
    assert findings["oracle"]["outcome"] == "gain"
    for words in ("ruff check", "ruff format --check"):
        style = checkout.sh(f"{sys.executable} -m {words} tasks/one-more")
        assert style.returncode == 0, style.stdout
    texts = [path.read_bytes() for path in (checkout.folder / "tasks/one-more").rglob("*") if path.is_file()]
    assert not any(b"{{" in text and b"}}" in text for text in texts), "a placeholder was left"


@pytest.mark.parametrize("name", ["Tides", "tide_tables", "../tides", "tides/high", "", "-tides", "x" * 65])
def test_a_bad_id_is_refused(checkout: Checkout, name: str) -> None:
    before = sorted(path.name for path in (checkout.folder / "tasks").iterdir())
    with pytest.raises(UsageError, match="cannot name a task"):
        new_task(checkout.folder / "tasks", name, "play")
    assert sorted(path.name for path in (checkout.folder / "tasks").iterdir()) == before


@pytest.mark.parametrize("name", ["house-price", "images"])
def test_nothing_is_overwritten(checkout: Checkout, name: str) -> None:
    done = checkout.sh(f"gymboard tasks new {name} --kind play")
    assert done.returncode == 2 and "already there" in done.stderr

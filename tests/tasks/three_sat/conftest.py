"""The modules of tasks/three-sat/grader as the referee sees them: by name, from their own folder."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "tasks" / "three-sat"
MODULES = ("dpll", "instances", "lockstep", "ratio")


@pytest.fixture(scope="module")
def grader() -> Iterator[SimpleNamespace]:
    """dpll, instances, lockstep and ratio; forgotten afterwards, since other tasks may use the same names."""
    sys.path.insert(0, str(FOLDER / "grader"))
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(FOLDER / "grader"))
        for name in MODULES:
            sys.modules.pop(name, None)

"""The referees and simulators of the three games as modules, without a container around them."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.grading.play import runtime
from harness.grading.play.runtime import matrix_games
from harness.schema.task import tasks_root


@pytest.fixture
def module() -> Iterator[Callable[[str], dict[str, Any]]]:
    """module("colonel-blotto/grader/referee.py") -> its names. `gymplay` is the runtime, as in the container."""
    sys.modules |= {"gymplay": runtime, "gymplay.matrix_games": matrix_games}
    yield lambda path: runpy.run_path(str(tasks_root() / path))
    del sys.modules["gymplay"], sys.modules["gymplay.matrix_games"]

"""The example of the documentation: both policies play, and one that looks around earns more than a pass."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[3] / "examples" / "gym_policies.py"


def test_the_example_plays_both_policies(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("gym_policies", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    returns = module.main("colonel-blotto", 1, "local")
    noise = 6 * 0.0063  # of log10 of a validation by 500 games: stderr 0.0109 on a score that is read as 0.377
    assert 0 <= returns["baseline"][0] < math.log10(1.05) + noise
    assert returns["random_search"][0] > math.log10(1.05), "its best of four draws is 7 standard errors better"
    assert "random_search" in capsys.readouterr().out

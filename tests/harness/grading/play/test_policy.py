"""The policy adapter and what returns are worth: what a policy may answer, and how sure a mean is."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.grading.play.runtime.adapter_policy import PolicyAdapter, as_actions
from harness.grading.play.runtime.policy_scores import summary
from harness.grading.play.runtime.wire import Message

PLAYER = """
import numpy as np
def load(path):
    return {"name": path.name, "steps": 0}
def act(policy, observations, reset, key):
    policy["steps"] += 1
    observations[:] = 0
    assert reset.dtype == bool and key.dtype == np.uint32 and key.shape == (2,)
    return [int(policy["name"][11]) * 10 + policy["steps"]] * len(observations)
"""


def test_each_checkpoint_has_a_policy_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "player.py").write_text(PLAYER)
    adapter = PolicyAdapter(tmp_path)
    names = ["checkpoint-0.safetensors", "checkpoint-1.safetensors"]
    adapter.answer(Message("start", 1, {"file": "player.py", "seed": 1, "checkpoints": names, "actions": "i4"}))
    seen = np.ones((3, 2), np.float32)
    arrays = {"observations": seen, "reset": np.ones(3, np.uint8)}
    answers = []
    for checkpoint in (0, 1, 0):
        _, found = adapter.answer(Message("act", 2, {"checkpoint": checkpoint, "key": [7, 2**32 - 1]}, arrays))
        answers.append(found["actions"].tolist())
    assert answers == [[1] * 3, [11] * 3, [2] * 3]
    assert seen.all()  # the policy had a copy


@pytest.mark.parametrize(
    "answer", [[0.0, 1.0], [True, False], ["up"], None, [2**40], [-(2**31) - 1], np.uint64([2**63])]
)
def test_a_discrete_action_is_a_32_bit_integer(answer: Any) -> None:
    with pytest.raises(TypeError, match="act returned"):
        as_actions(answer, "i4")


@pytest.mark.parametrize("answer", [["push"], None, [1j], [object()]])
def test_a_real_action_is_a_number(answer: Any) -> None:
    with pytest.raises(TypeError, match="act returned"):
        as_actions(answer, "f4")


def test_actions_that_pass() -> None:
    assert as_actions([0, 3], "i4").dtype == np.dtype("<i4")
    assert as_actions(np.array([0, 3], np.int64), "i4").tolist() == [0, 3]
    assert as_actions([[0.5], [1]], "f4").tolist() == [[0.5], [1.0]]
    assert np.isinf(as_actions([1e300], "f4")).all()  # the referee refuses what is not finite


def test_the_error_is_over_checkpoints() -> None:
    returns = np.array([[0.0, 2.0], [10.0, 12.0], [20.0, 22.0]])
    outcome = summary(returns)
    assert outcome.metrics == {"mean_return": 11.0, "worst_checkpoint": 1.0, "best_checkpoint": 21.0}
    assert outcome.stderr["mean_return"] == pytest.approx(10 / sqrt(3))
    assert outcome.n == 6


def test_copies_of_one_checkpoint_are_no_surer_than_its_episodes() -> None:
    returns = np.tile(np.array([0.0, 10.0, 20.0, 30.0]), (5, 1))
    error = summary(returns).stderr["mean_return"]
    assert error == pytest.approx(returns.std(axis=1, ddof=1)[0] / sqrt(20))

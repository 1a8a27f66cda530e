"""The reader of published trajectories: what it takes from a file, and every way in which it refuses one."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from harness.errors import SchemaError
from harness.importers.traj import read_traj

VALIDATED = "Baseline Score: {'Score': 2.37, 'Std': 1e-05}\nEvaluation Score: {'Score': 2.5}"


def a_step(action: str, observation: str = "") -> dict[str, Any]:
    texts = {"thought": "DISCUSSION\nhm", "action": action, "observation": observation}
    return {**texts, "response": "", "state": "{}", "execution_time": 0.5}


def a_document() -> dict[str, Any]:
    stats = {"total_cost": 0.03, "tokens_sent": 10, "tokens_received": 5, "api_calls": 2, "task_cost": 0.03}
    scores = [{"Score": 2.5}, {"Score": 2.4}]
    return {
        "environment": "main",
        "history": [],
        "trajectory": [a_step("ls\n"), a_step("validate\n", VALIDATED), a_step("submit")],
        "info": {"exit_status": "submitted", "score": scores, "model_stats": stats, "submission": None},
    }


def read(document: dict[str, Any]) -> Any:
    return read_traj(json.dumps(document).encode())


def test_each_score_stands_at_its_validation_and_the_last_one_at_the_end() -> None:
    episode = read(a_document())
    assert [step.scores for step in episode.steps] == [None, {"Score": 2.5}, None]
    assert episode.final == {"Score": 2.4}
    assert episode.baseline == {"Score": 2.37, "Std": 1e-05}
    assert (episode.usage.input_tokens, episode.usage.reported_cost_usd) == (10, 0.03)
    assert episode.steps[0].action == "ls"


def test_a_score_that_only_the_agent_printed_is_not_taken() -> None:
    document = a_document()
    document["trajectory"][0] = a_step("echo boast", "Evaluation Score: {'Score': 99.0}")
    assert read(document).steps[0].scores is None


def test_a_truncated_file_is_refused() -> None:
    data = json.dumps(a_document()).encode()
    for end in range(0, len(data) - 1, 7):
        with pytest.raises(SchemaError, match="not acceptable JSON"):
            read_traj(data[:end])


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("trajectory",), [], "trajectory"),
        (("trajectory", 1, "action"), 7, "trajectory[1].action"),
        (("trajectory", 0, "execution_time"), -1.0, "trajectory[0].execution_time"),
        (("info", "score"), [{"Score": "2.5"}, {"Score": 2.4}], "info.score[0].Score"),
        (("info", "score"), [], "info.score"),
        (("info", "score"), [{"Score": 1.0}] * 3, "info.score"),
        (("info", "model_stats", "tokens_sent"), -5, "info.model_stats.tokens_sent"),
        (("info", "score"), [{"Score": float("nan")}, {"Score": 2.4}], "info.score[0].Score"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(path: tuple[str | int, ...], value: object, named: str) -> None:
    document = copy.deepcopy(a_document())
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(SchemaError) as caught:
        read(document)
    assert [problem.path for problem in caught.value.problems] == [named]

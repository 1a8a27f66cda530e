"""Every flag with a case just inside and one just outside; tables made by hand, rules as a season has them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import get_args

import duckdb
import pytest

from harness.comparison import compare
from harness.schema.episode import ActionClass, Attempt, Episode, Verdict
from harness.schema.task import load_task, tasks_root
from scoring.facts.read import read_facts
from scoring.flags import flags
from scoring.yardstick import TaskRule, Trivial, load_season
from tests.scoring.builder import GOOD, everywhere
from tests.scoring.conftest import Enter

GAME = TaskRule(
    id="game",
    title="Game",
    domain="game-theory",
    metric="payoff",
    direction="max",
    baseline=1.0,
    baseline_source="measured",
    reference=2.0,
    sampled=True,
    tolerance=0.0,
    trivial=(Trivial(what="a coin", value=0.5, stderr=0.003), Trivial(what="always 1", value=0.6, stderr=0.0)),
)
LABELS = GAME.model_copy(
    update={
        "id": "labels",
        "public_labels": True,
        "sampled": False,
        "tolerance": 1e-3,
        "trivial": (Trivial(what="the mean", value=-0.001),),
    }
)
SECONDS = GAME.model_copy(update={"id": "seconds", "direction": "min", "baseline": 4.0, "tolerance": 0.1})
RULES = (GAME, LABELS, SECONDS)
Fact = tuple[str, int, str, float | None, float | None]  # task, attempt, source, value, stderr


@pytest.fixture
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE attempts (entry_no INTEGER, task VARCHAR, seed INTEGER, attempt INTEGER, source VARCHAR, "
            "metric VARCHAR, value DOUBLE, stderr DOUBLE)"
        )
        counts = ", ".join(f"act_{action.lower()} INTEGER DEFAULT 0" for action in get_args(ActionClass))
        connection.execute(
            "CREATE TABLE episodes (entry_no INTEGER, task VARCHAR, seed INTEGER, steps INTEGER, trace VARCHAR, "
            f"{counts})"
        )
        connection.execute(
            "CREATE TABLE entries (entry_no INTEGER, entry VARCHAR, bundle_sha256 VARCHAR, preview BOOLEAN)"
        )
        connection.execute(
            "CREATE TABLE replays (entry VARCHAR, bundle_sha256 VARCHAR, task VARCHAR, outcome VARCHAR, seed BIGINT, "
            "expected DOUBLE, found DOUBLE, allowed DOUBLE)"
        )
        yield connection


def told(
    db: duckdb.DuckDBPyConnection, facts: Sequence[Fact], rules: Sequence[TaskRule] = RULES, metric: str = "payoff"
) -> list[tuple[object, ...]]:
    """flag, task, value, against of entry 0."""
    db.execute("DELETE FROM attempts")
    for task, attempt, source, value, stderr in facts:
        db.execute(
            "INSERT INTO attempts VALUES (0, ?, 0, ?, ?, ?, ?, ?)", [task, attempt, source, metric, value, stderr]
        )
    return flags(db, rules).select("flag", "task", "value", "against").rows()


@pytest.mark.parametrize(
    ("task", "value", "stderr", "flagged"),
    [
        ("game", 2.0 + 0.0299, 0.01, False),
        ("game", 2.0 + 0.0301, 0.01, True),
        ("game", 1.9, 0.01, False),
        ("game", 2.1, None, True),
        ("labels", 2.0, 0.5, False),
        ("labels", math.nextafter(2.0, 3.0), 0.5, True),
        ("seconds", 2.0 - 0.0299, 0.01, False),
        ("seconds", 2.0 - 0.0301, 0.01, True),
        ("seconds", 3.0, 0.01, False),
    ],
)
def test_beyond_reference(
    db: duckdb.DuckDBPyConnection, task: str, value: float, stderr: float | None, flagged: bool
) -> None:
    found = told(db, [(task, 0, "regraded", value, stderr)])
    assert found == ([("beyond-reference", task, value, 2.0)] if flagged else [])


def test_a_reference_that_is_only_the_baseline_can_be_beaten_by_anybody(db: duckdb.DuckDBPyConnection) -> None:
    unknown = SECONDS.model_copy(update={"baseline": 2.0})
    assert told(db, [("seconds", 0, "regraded", 0.7, 0.01)], [unknown]) == []


@pytest.mark.parametrize("sign", [1, -1], ids=["better", "worse"])
@pytest.mark.parametrize(
    ("apart", "sealed_error", "told_error", "flagged"),
    [
        (0.199, 0.03, 0.04, False),
        (0.201, 0.03, 0.04, True),
        (0.149, None, None, False),  # a tenth of 1.5
        (0.151, None, None, True),
        (0.149, 0.03, None, False),
        (0.16, 0.05, None, False),  # one error alone allows 0.2
    ],
)
def test_far_from_validation(
    db: duckdb.DuckDBPyConnection,
    sign: int,
    apart: float,
    sealed_error: float | None,
    told_error: float | None,
    flagged: bool,
) -> None:
    value = 1.5 + sign * apart
    facts = [("game", 0, "regraded", value, sealed_error), ("game", 0, "validation", 1.5, told_error)]
    assert told(db, facts) == ([("far-from-validation", "game", value, 1.5)] if flagged else [])


def test_validation_of_another_attempt_is_nothing_to_compare_with(db: duckdb.DuckDBPyConnection) -> None:
    assert told(db, [("game", 0, "regraded", 1.9, 0.001), ("game", 1, "validation", 1.5, 0.001)]) == []


@pytest.mark.parametrize(
    ("task", "value", "stderr", "against"),
    [
        ("labels", -0.001 + 0.9e-9, 0.01, -0.001),
        ("labels", -0.001 + 1.1e-9, 0.01, None),
        ("game", 0.5049, 0.004, 0.5),  # hypot(0.003, 0.004)
        ("game", 0.4951, 0.004, 0.5),
        ("game", 0.5051, 0.004, None),
        ("game", 0.6, None, 0.6),
        ("game", 0.6001, None, None),
    ],
)
def test_trivial_score(
    db: duckdb.DuckDBPyConnection, task: str, value: float, stderr: float | None, against: float | None
) -> None:
    found = told(db, [(task, 0, "regraded", value, stderr)])
    assert found == ([] if against is None else [("trivial-score", task, value, against)])


ACTIONS: list[tuple[dict[ActionClass, int], str | None]] = [
    ({"View": 2, "Submit": 1}, "VVU"),
    ({"View": 2, "Submit": 1}, None),
    ({"Edit": 1, "Submit": 1}, "EU"),
    ({"Python": 1}, None),
    ({"Bash": 1}, "B"),
    *(({kind: 1}, None) for kind in ("Search", "Validate", "Memory", "Literature")),
    ({}, None),
    ({}, "-"),
]


def acted(db: duckdb.DuckDBPyConnection, task: str, actions: dict[ActionClass, int], trace: str | None) -> bool | None:
    """Put an episode of entry 0 into the table; does its record say that it can have changed a file?"""
    steps = len(trace) if trace else sum(actions.values())
    columns = ["entry_no", "task", "seed", "steps", "trace", *(f"act_{kind.lower()}" for kind in actions)]
    places = ", ".join("?" * len(columns))
    row = [0, task, 0, steps, trace, *actions.values()]
    db.execute(f"INSERT INTO episodes ({', '.join(columns)}) VALUES ({places})", row)
    about = {"task_version": "1.0.0", "profile": "official", "seed": 0, "exit_status": "success"}
    return Episode.model_validate(about | {"task": task, "steps": steps, "actions": actions, "trace": trace}).modifies


@pytest.mark.parametrize(("actions", "trace"), ACTIONS, ids=str)
@pytest.mark.parametrize("source", ["regraded", "published"])
def test_do_nothing_is_what_the_episodes_record_says(
    db: duckdb.DuckDBPyConnection, actions: dict[ActionClass, int], trace: str | None, source: str
) -> None:
    modifies = acted(db, "game", actions, trace)
    acted(db, "labels", actions, trace)
    found = told(db, [("game", 0, source, 1.2, 0.1), ("game", 1, source, 1.1, 0.1), ("labels", 0, source, None, None)])
    assert found == ([("do-nothing", "game", 1.1, None)] if modifies is False else []), "no score is no finding"


def test_do_nothing_is_told_of_tasks_that_no_season_knows(db: duckdb.DuckDBPyConnection) -> None:
    acted(db, "unheard-of", {"View": 3}, None)
    assert told(db, [("unheard-of", 0, "published", 7.0, None)], metric="Score")[0][:3] == (
        "do-nothing",
        "unheard-of",
        7.0,
    )


CLAIMS = [
    ("house-price", 0.91, 0.91 + 0.9e-9, 0.01, 0.01, False),
    ("house-price", 0.91, 0.91 + 1.1e-9, 0.01, 0.01, True),
    ("colonel-blotto", 0.2, 0.2 + 0.0056, 0.001, 0.001, False),  # 4 hypot(0.001, 0.001) = 0.00566
    ("colonel-blotto", 0.2, 0.2 - 0.0057, 0.001, 0.001, True),
    ("colonel-blotto", 0.2, 0.2057, 0.001, 9.0, True),  # a claimed error counts up to the measured one
    ("colonel-blotto", 0.2, 0.2041, 0.001, None, True),  # 4 x 0.001
    ("three-sat", 0.8, 0.92, 0.001, 0.001, False),  # 0.15 x 0.8
    ("three-sat", 0.8, 0.9201, 0.001, 0.001, True),
]


@pytest.mark.parametrize(("task", "value", "claimed", "error", "claimed_error", "flagged"), CLAIMS)
def test_claim_differs_as_the_regrade_says(
    db: duckdb.DuckDBPyConnection,
    task: str,
    value: float,
    claimed: float,
    error: float,
    claimed_error: float | None,
    flagged: bool,
) -> None:
    rules = load_season("season-0").tasks
    metric = next(rule.metric for rule in rules if rule.id == task)
    facts: list[Fact] = [(task, 0, "regraded", value, error), (task, 0, "claimed", claimed, claimed_error)]
    found = [row for row in told(db, facts, rules, metric) if row[0] == "claim-differs"]
    assert found == ([("claim-differs", task, value, claimed)] if flagged else [])
    assert flagged is not regrade_agrees(task, metric, value, claimed, error, claimed_error)


def regrade_agrees(
    task: str, metric: str, value: float, claimed: float, error: float, claimed_error: float | None
) -> bool:
    def verdict(found: float, stderr: float | None) -> Verdict:
        errors = {} if stderr is None else {metric: stderr}
        return Verdict(split="sealed", metrics={metric: found}, stderr=errors, grader_version="1.0.0", duration_s=0.0)

    attempt = Attempt(index=0, step=1, kind="submit", artifact_sha256="0" * 64, sealed=verdict(claimed, claimed_error))
    episode = Episode(
        task=task, task_version="1.0.0", profile="official", seed=0, exit_status="success", steps=1, attempts=(attempt,)
    )
    return compare(load_task(tasks_root() / task), episode, attempt, verdict(value, error), cached=False).agrees


def test_other_metrics_and_sources_raise_no_flag(db: duckdb.DuckDBPyConnection) -> None:
    assert told(db, [("game", 0, "regraded", 99.0, 0.0)], metric="decisions") == []
    assert told(db, [("game", 0, "claimed", 99.0, 0.0)]) == []
    assert told(db, [("unheard-of", 0, "regraded", 99.0, 0.0)]) == []


def test_one_row_an_episode_and_flag_whatever_the_order_of_the_facts(db: duckdb.DuckDBPyConnection) -> None:
    facts: list[Fact] = [
        ("game", 0, "regraded", 2.4, 0.01),
        ("game", 1, "regraded", 2.6, 0.01),
        ("game", 2, "regraded", 2.6, 0.01),
        ("seconds", 0, "regraded", 0.6, 0.01),
    ]
    every = {tuple(told(db, order)) for order in permutations(facts)}
    assert every == {
        (
            ("beyond-reference", "game", 2.6, 2.0),
            ("beyond-reference", "seconds", 0.6, 2.0),
            ("trivial-score", "seconds", 0.6, 0.6),
        )
    }


def test_words_are_a_sentence_with_its_numbers(db: duckdb.DuckDBPyConnection) -> None:
    told(db, [("game", 0, "regraded", 2.1, 0.01)])
    words = flags(db, RULES)["words"].to_list()
    assert words == ["2.1 is better than the best value known, 2, by 0.1; 3 of its standard errors are 0.03"]
    told(db, [("labels", 0, "regraded", 2.1, 0.01)])
    assert "the answers of this task can be looked up" in flags(db, RULES)["words"][0]


def test_no_facts_no_flags_and_the_connection_is_left_as_it_was(db: duckdb.DuckDBPyConnection) -> None:
    before = db.sql("SHOW TABLES").fetchall()
    assert flags(db, ()).rows() == []
    assert flags(db, RULES).rows() == []
    assert db.sql("SHOW TABLES").fetchall() == before


def test_flags_of_entries_as_the_reader_gives_them(submissions: Path, enter: Enter) -> None:
    enter("honest", everywhere(GOOD))
    enter("pasted", everywhere({**GOOD, "house-price": 0.95}), found=everywhere({**GOOD, "house-price": 0.94}))
    with read_facts(submissions) as facts:
        found = flags(facts.db, load_season("season-0").tasks)
    assert found.select("entry_no", "flag", "task", "seed").rows() == [
        (1, flag, "house-price", seed) for flag in ("beyond-reference", "claim-differs") for seed in range(4)
    ]

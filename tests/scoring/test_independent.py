"""Every number of an exported board against the plain Python of tests.scoring.independent, cell by cell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from harness.schema.upstream import UPSTREAM_TASKS
from scoring.build import build
from scoring.export import export
from scoring.yardstick import Season
from tests.benchmarks.synthetic import write_board, write_season
from tests.scoring import independent as plain
from tests.scoring.conftest import COMMITTED

ROOT = COMMITTED.parent
ENTRIES, PUBLISHED = 60, 8
Tree = dict[str, Any]


class Board:
    """The exported tables, and what the plain reading of the same files says."""

    def __init__(self, submissions: Path, season: Path, out: Path) -> None:
        with build(submissions, season=Season.from_toml(season.read_text(encoding="utf-8"))) as built:
            self.files = {file.stem: file for file in export(built, out) if file.suffix == ".parquet"}
        self.season = plain.read_toml(season)
        self.prices = plain.read_toml(ROOT / "harness" / "schema" / "prices.toml")
        self.entries = plain.read_entries(submissions)
        self.runs = [entry for entry in self.entries if entry.is_run]
        self.imports = [entry for entry in self.entries if not entry.is_run]
        self.rules = [rule for rule in self.season["tasks"] if rule.get("rankable", True)]
        self.out = plain.not_ranked(self.runs, self.rules)

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.files[name])

    def rows(self, name: str, reading: str) -> list[Tree]:
        return self.table(name).filter(pl.col("reading") == reading).to_dicts()

    def plain_season(self) -> Tree:
        ranked = {entry.name for entry in self.runs} - self.out
        return plain.reading(self.rules, self.runs, self.season["tau_max"], ranked, frozen=True)

    def plain_live(self) -> Tree:
        [tau_max] = {row["tau_max"] for row in self.rows("constants", "live")}
        ranked = {entry.name for entry in self.imports}
        return plain.reading(self.published_rules(), self.imports, tau_max, ranked, frozen=False)

    def published_rules(self) -> list[Tree]:
        rules = []
        for task in UPSTREAM_TASKS:
            episodes = [e for entry in self.imports for e in entry.tree["episodes"] if e["task"] == task.id]
            stored = {(e.get("published_baseline") or {}).get(task.metric) for e in episodes} - {None}
            base = {"baseline": stored.pop()} if len(stored) == 1 else {}
            rules.append({"id": task.id, "metric": task.metric, "direction": task.direction, **base})
        return rules


def sharpen(season: Path) -> None:
    """Rules under which every flag but do-nothing is raised somewhere."""
    text, added = season.read_text(encoding="utf-8"), 'trivial = [{ what = "shuffled", value = 0.9, stderr = 0.01 }]'
    for task, rules in {"three-sat": added, "cifar10": "sampled = true\ntolerance = 0.001"}.items():
        text = text.replace(f'id = "{task}"\n', f'id = "{task}"\n{rules}\n')
    for task in plain.read_toml(season)["tasks"]:
        if task["id"] == "cifar10":
            text = text.replace(f"reference = {task['reference']}", f"reference = {task['reference'] * 0.97}")
    season.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    folder = tmp_path_factory.mktemp("independent")
    write_board(folder / "submissions", ENTRIES, 5, published=PUBLISHED, broken=1)
    write_season(folder / "season.toml")
    sharpen(folder / "season.toml")
    return Board(folder / "submissions", folder / "season.toml", folder / "out")


SHORT = ("mean", "stderr")
"""Columns that hold seven digits."""


def same(found: Any, wanted: Any, digits: float = 1e-11) -> bool:
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, float) and found is not None:
        return math.isclose(found, wanted, rel_tol=digits, abs_tol=1e-12)
    return bool(found == wanted)


def differing(rows: Iterable[Tree], wanted: Tree, keys: tuple[str, ...]) -> list[str]:
    """Every cell that differs; rows and `wanted` must name the same keys."""
    found = {tuple(row[key] for key in keys): row for row in rows}
    odd = [f"only one of the two has {key}" for key in found.keys() ^ wanted.keys()]
    return odd + [
        f"{key} {name}: {found[key][name]!r}, by definition {value!r}"
        for key in found.keys() & wanted.keys()
        for name, value in wanted[key].items()
        if not same(found[key][name], value, 1e-7 if name in SHORT else 1e-11)
    ]


def without_the_valueless(wanted: Tree, ranked: set[str], partial: set[str]) -> Tree:
    """Whoever has no rank and no value on any task, or never ran one, is listed, with no AUP."""
    lost = {
        key
        for key in wanted["board"]
        if key[1] in partial
        or (
            key[1] not in ranked
            and all(row["value"] is None for where, row in wanted["task_scores"].items() if where[:2] == key)
        )
    }
    return {key: row | ({"aup": None, "borda": None} if key in lost else {}) for key, row in wanted["board"].items()}


@pytest.mark.parametrize("reading", ["season", "live"])
def test_every_cell_of_a_ranking(board: Board, reading: str) -> None:
    wanted = board.plain_season() if reading == "season" else board.plain_live()
    ranked = {entry.name for entry in (board.runs if reading == "season" else board.imports)} - board.out
    assert not differing(board.rows("task_scores", reading), wanted["task_scores"], ("score", "entry", "task"))
    partial = {e.name for e in board.runs if not all(e.episodes(rule["id"]) for rule in board.rules)}
    placed = without_the_valueless(wanted, ranked, partial if reading == "season" else set())
    assert not differing(board.rows("board", reading), placed, ("score", "entry"))
    for row in board.rows("tasks", reading):
        for score in ("best", "last"):
            assert same(row[f"{score}_reference"], wanted["references"][score, row["task"]])


def test_who_is_not_ranked(board: Board) -> None:
    found = board.table("entries").filter(board="season")
    assert set(found.drop_nulls("not_ranked_because")["entry"]) == board.out
    assert {"regraded", "signed"} == set(found["level"])
    assert dict(found.select("entry", "level").iter_rows()) == {entry.name: entry.level for entry in board.runs}


def test_intervals_hold_their_own_value_and_groups_follow_the_ranks(board: Board) -> None:
    for row in board.rows("board", "season"):
        if row["rank"]:
            assert row["rank_low"] <= row["rank"] <= row["rank_high"]
            assert row["aup_low"] <= row["aup_high"] <= row["aup"] + 1e-12, "a resampled best never gains"
    for score in ("best", "last"):
        placed = board.table("board").filter(reading="season", score=score).drop_nulls("rank").sort("rank", "entry")
        groups = placed["tie_group"].to_list()
        assert groups == sorted(groups)
        assert set(groups) == set(range(1, max(groups) + 1))


def test_domains_are_means_over_their_tasks(board: Board) -> None:
    domain_of = {task.id: task.domain for task in UPSTREAM_TASKS}
    for reading in ("season", "live"):
        parts: dict[tuple[str, str, str], list[float]] = {}
        rows = board.rows("task_scores", reading)
        count = len({row["task"] for row in rows})
        for row in rows:
            key = (row["score"], row["entry"], domain_of[row["task"]])
            parts.setdefault(key, []).append(row["contribution"] * count)
        wanted = {key: {"aup": math.fsum(own) / len(own)} for key, own in parts.items()}
        assert not differing(board.rows("domains", reading), wanted, ("score", "entry", "domain"))


def test_profiles_are_the_steps_of_the_ratios(board: Board) -> None:
    for reading in ("season", "live", "mlgym-compat"):
        logs: dict[tuple[str, str], list[float]] = {}
        for row in board.rows("task_scores", reading):
            logs.setdefault((row["score"], row["entry"]), []).append(row["log10_ratio"])
        for row in board.rows("profiles", reading):
            own = logs[row["score"], row["entry"]]
            assert row["rho"] == sum(log <= row["tau"] for log in own) / len(own)


def test_mlgym_compat_is_its_left_sum(board: Board) -> None:
    [constants] = board.rows("constants", "mlgym-compat")
    tau_max = constants["tau_max"]
    logs: dict[tuple[str, str], list[float]] = {}
    for row in board.rows("task_scores", "mlgym-compat"):
        logs.setdefault((row["score"], row["entry"]), []).append(row["log10_ratio"])
    wanted = {}
    for key, own in logs.items():
        rho = [sum(log <= tau_max * i / 499 for log in own) / len(own) for i in range(499)]
        wanted[key] = {"aup": math.fsum(rho) * tau_max / 499}
    assert not differing(board.rows("board", "mlgym-compat"), wanted, ("score", "entry"))


def test_costs_and_the_frontier(board: Board) -> None:
    tasks = {rule["id"] for rule in board.rules}
    wanted = {entry.name: plain.cost(entry, tasks, board.season["prices"], board.prices) for entry in board.entries}
    found = dict(board.table("costs").select("entry", "usd_per_episode").iter_rows())
    assert found.keys() == wanted.keys()
    assert [name for name in wanted if not same(found[name], wanted[name])] == []
    for reading in ("season", "live"):
        for score in ("best", "last"):
            rows = [row for row in board.rows("board", reading) if row["score"] == score]
            points = {row["entry"]: (row["cost_usd"], row["aup"]) for row in rows if row["rank"]}
            assert {row["entry"] for row in rows if row["frontier"]} == plain.frontier(points)


def test_actions_by_tenths_of_an_episode(board: Board) -> None:
    found = {(row["entry"], row["decile"], row["action"]): row["steps"] for row in board.table("actions").to_dicts()}
    counted = {(entry.name, *key): n for entry in board.entries for key, n in plain.deciles(entry).items()}
    assert found == counted
    assert len({decile for _, decile, _ in counted}) == 10


def test_flags(board: Board) -> None:
    table = board.table("flags").to_dicts()
    found = {(row["entry"], row["flag"], row["task"], row["seed"]) for row in table}
    wanted = {key for entry in board.entries for key in plain.flags(entry, board.season["tasks"])}
    assert {"beyond-reference", "claim-differs", "far-from-validation", "trivial-score"} <= {key[1] for key in wanted}
    assert found == wanted

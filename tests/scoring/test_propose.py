"""The next season: which evidence may become a reference, what luck and cheats cannot do, a file that reads back."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from math import log10
from pathlib import Path
from typing import Any, get_args

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import gymboard
from harness.errors import UsageError
from harness.schema.episode import ActionClass
from harness.schema.task import TaskSpec, load_tasks
from scoring.flags import flags
from scoring.known import Known, Wanted, known_values
from scoring.profiles import aup, fixed_scale
from scoring.propose import baseline_log_ratio, propose, published_compares, tau_max, wanted
from scoring.season_text import changes, sources, table, to_toml
from scoring.seasons_cli import next_name, write_new
from scoring.yardstick import Season, TaskRule, Trivial, load_season, season_yardstick
from tests.scoring.builder import GOOD, everywhere
from tests.scoring.conftest import Enter

SPECS = {
    task: spec for task, spec in load_tasks().items() if task in {rule.id for rule in load_season("season-0").tasks}
}
SEASON = load_season("season-0")
PRICE = Wanted("house-price", "r2", True, False, True, 0.931, "r2")
SAT = Wanted("three-sat", "relative_time", False, True, False, 1.0, None)
BLOTTO = Wanted("colonel-blotto", "mean_payoff", True, True, False, 0.2476, "Score")
WANTED = (PRICE, SAT, BLOTTO)


class Facts:
    """Tables with the columns that the reader of submissions gives."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self.db = db
        db.execute(
            "CREATE TABLE entries (entry_no INTEGER, entry VARCHAR, preview BOOLEAN, origin VARCHAR, profile VARCHAR, "
            "level VARCHAR, reviewed BOOLEAN, bundle_sha256 VARCHAR)"
        )
        db.execute(
            "CREATE TABLE replays (entry VARCHAR, bundle_sha256 VARCHAR, task VARCHAR, outcome VARCHAR, seed BIGINT, "
            "expected DOUBLE, found DOUBLE, allowed DOUBLE)"
        )
        db.execute(
            "CREATE TABLE attempts (entry_no INTEGER, task VARCHAR, seed INTEGER, attempt INTEGER, is_last BOOLEAN, "
            "source VARCHAR, metric VARCHAR, value DOUBLE, stderr DOUBLE)"
        )
        counts = ", ".join(f"act_{action.lower()} INTEGER" for action in get_args(ActionClass))
        db.execute(
            "CREATE TABLE episodes (entry_no INTEGER, task VARCHAR, seed INTEGER, steps INTEGER, trace VARCHAR, "
            f"{counts})"
        )
        db.execute("CREATE TABLE notes (entry_no INTEGER, task VARCHAR, seed INTEGER)")
        self.names: list[str] = []

    def enter(self, name: str, **about: Any) -> None:
        entry = {
            "preview": False,
            "origin": "run",
            "profile": "official",
            "level": "regraded",
            "reviewed": False,
        } | about
        row = [len(self.names), name, *(entry[key] for key in ("preview", "origin", "profile", "level", "reviewed"))]
        self.db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", row)
        self.names.append(name)

    def value(self, task: str, value: float, stderr: float | None = None, **about: Any) -> None:
        """A value of the entry that came last."""
        metric = next(one.metric for one in WANTED if one.task == task)
        fact = {"seed": 0, "attempt": 0, "is_last": True, "source": "regraded", "metric": metric} | about
        row = [len(self.names) - 1, task, *(fact[key] for key in ("seed", "attempt", "is_last", "source", "metric"))]
        self.db.execute("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [*row, value, stderr])

    def known(self, *asked: Wanted) -> dict[str, float]:
        return {one.source: one.value for one in known_values(self.db, asked or WANTED)}


@pytest.fixture
def facts() -> Iterator[Facts]:
    with duckdb.connect() as db:
        yield Facts(db)


def test_a_drawn_value_loses_three_standard_errors_and_a_lucky_draw_its_lead(facts: Facts) -> None:
    facts.enter("lucky")
    facts.value("colonel-blotto", 0.30, 0.05)
    facts.value("three-sat", 0.60, 0.05)
    facts.enter("steady")
    facts.value("colonel-blotto", 0.25, 0.001)
    facts.value("three-sat", 0.65, 0.01)
    facts.value("house-price", 0.92, 0.013)
    assert facts.known() == {
        "regraded: steady, seed 0: 0.25, less 3 standard errors of 0.001": pytest.approx(0.247),
        "regraded: steady, seed 0: 0.65, less 3 standard errors of 0.01": pytest.approx(0.68),
        "regraded: steady, seed 0": 0.92,
    }


@pytest.mark.parametrize(
    "about",
    [{"preview": True}, {"profile": "smoke"}, {"level": "signed"}, {"level": None}, {"origin": "import"}],
    ids=str,
)
def test_what_is_no_regraded_official_entry_is_no_evidence(facts: Facts, about: dict[str, Any]) -> None:
    facts.enter("other", **about)
    facts.value("house-price", 0.92)
    assert facts.known() == {}


@pytest.mark.parametrize(
    "about", [{"source": "claimed"}, {"source": "validation"}, {"metric": "rmse"}, {"seed": 4}], ids=str
)
def test_claims_other_metrics_and_surplus_seeds_are_no_evidence(facts: Facts, about: dict[str, Any]) -> None:
    facts.enter("run")
    facts.value("house-price", 0.92, **about)
    assert facts.known() == {}


def test_a_drawn_value_without_a_standard_error_is_no_evidence(facts: Facts) -> None:
    facts.enter("run")
    facts.value("colonel-blotto", 0.9)
    assert facts.known() == {}


@pytest.mark.parametrize(
    ("known_best", "value", "reviewed", "counts"),
    [(0.931, 0.931, False, True), (0.931, 0.932, False, False), (0.931, 0.932, True, True), (None, 0.5, False, False)],
)
def test_a_value_held_for_review_is_no_evidence(
    facts: Facts, known_best: float | None, value: float, reviewed: bool, counts: bool
) -> None:
    facts.enter("run", reviewed=reviewed)
    facts.value("house-price", value)
    asked = Wanted("house-price", "r2", True, False, True, known_best, "r2")
    assert list(facts.known(asked).values()) == ([value] if counts else [])


def test_published_values_count_where_they_compare_and_are_not_refuted(facts: Facts) -> None:
    facts.enter("import", origin="import", level="reported")
    facts.value("house-price", 0.93, source="published", seed=0)
    facts.value("house-price", 0.91, source="published", seed=1)
    facts.value("house-price", 0.05, source="published", seed=2, metric="rmse")
    assert facts.known() == {"published: import, seed 0": 0.93}
    facts.db.execute("INSERT INTO notes VALUES (0, 'house-price', 0)")
    assert facts.known() == {"published: import, seed 1": 0.91}
    facts.db.execute("INSERT INTO notes VALUES (0, 'house-price', NULL)")
    assert facts.known() == {}
    assert facts.known(Wanted("house-price", "r2", True, False, True, None, None)) == {}


def test_published_draws_stand_by_their_mean_over_all_four_seeds(facts: Facts) -> None:
    facts.enter("import", origin="import", level="reported")
    for seed, value in enumerate((0.1, 0.2, 0.3)):
        facts.value("colonel-blotto", value, source="published", metric="Score", seed=seed)
    assert facts.known() == {}
    facts.value("colonel-blotto", 0.9, source="published", metric="Score", seed=3, is_last=False)
    assert facts.known() == {}, "a best attempt that was not handed in is a choice among draws"
    facts.value("colonel-blotto", 0.4, source="published", metric="Score", seed=3, attempt=1)
    mean = "published: import, mean of the final values of its 4 seeds"
    assert facts.known() == {mean: pytest.approx(0.25)}
    facts.db.execute("INSERT INTO notes VALUES (0, 'colonel-blotto', 2)")
    assert facts.known() == {}


def test_the_order_of_the_facts_is_nothing(facts: Facts) -> None:
    for name in "abcde":
        facts.enter(name)
        for seed in range(4):
            facts.value("house-price", 0.92, seed=seed)
            facts.value("colonel-blotto", 0.2, 0.01, seed=seed)
    first = known_values(facts.db, WANTED)
    rows = facts.db.execute("SELECT * FROM attempts").fetchall()
    random.Random(1).shuffle(rows)
    facts.db.execute("DELETE FROM attempts")
    facts.db.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    assert known_values(facts.db, WANTED) == first
    assert first[0].source == "regraded: a, seed 0: 0.2, less 3 standard errors of 0.01"


def proposed(known: tuple[Known, ...] = (), previous: Season = SEASON, specs: Mapping[str, TaskSpec] = SPECS) -> Season:
    return propose("season-1", "2026-12-01", "2025-08-01", previous, specs, known)


def rule(season: Season, task: str) -> TaskRule:
    return next(rule for rule in season.tasks if rule.id == task)


def better(task: str, value: float) -> tuple[Known, ...]:
    return (Known(task, value, "regraded: somebody, seed 0"),)


def test_without_new_evidence_every_constant_stays() -> None:
    season = proposed()
    assert [r.id for r in season.tasks] == [r.id for r in SEASON.tasks]
    keep = {"reference", "reference_exact", "baseline", "transform", "trivial", "sampled", "tolerance"}
    for new, old in zip(season.tasks, SEASON.tasks, strict=True):
        assert new.model_dump(include=keep) == old.model_dump(include=keep)
    games = dict.fromkeys(("prisoners-dilemma", "battle-of-sexes", "colonel-blotto"), 0.0)
    assert {r.id: r.noise for r in season.tasks} == {"house-price": None, "three-sat": 0.05, **games}
    assert (season.tau_max, season.eps, season.draft) == (SEASON.tau_max, SEASON.eps, True)
    assert all(" stays" in line for line in changes(season, SEASON))


def test_an_exact_optimum_cannot_be_beaten_by_luck_or_by_a_cheat() -> None:
    season = proposed(better("prisoners-dilemma", 2.9))
    assert rule(season, "prisoners-dilemma").reference == 2.6251
    assert rule(season, "prisoners-dilemma").reference_exact


def test_an_exact_optimum_of_another_metric_is_forgotten() -> None:
    old = rule(SEASON, "prisoners-dilemma").model_copy(update={"metric": "total_payoff"})
    previous = SEASON.model_copy(update={"tasks": (old,)})
    new = rule(proposed(better("prisoners-dilemma", 2.63), previous), "prisoners-dilemma")
    assert (new.reference, new.reference_exact) == (2.63, False)


@pytest.mark.parametrize(
    ("task", "value", "reference"),
    [
        ("house-price", 0.94, 0.94),
        ("house-price", 0.93, 0.9310001903705818),
        ("three-sat", 0.7, 0.7),
        ("three-sat", 0.951, 1.0),  # within the noise of the baseline
        ("three-sat", 1.2, 1.0),
        ("three-sat", 0.0, 1.0),  # no ratio
        ("colonel-blotto", 0.26, 0.26),
        ("colonel-blotto", -0.9, 0.2476),
    ],
)
def test_a_reference_is_the_best_that_is_known(task: str, value: float, reference: float) -> None:
    season = proposed(better(task, value))
    new = rule(season, task)
    assert new.reference == reference
    assert (new.reference_source == "regraded: somebody, seed 0") is (value == reference)
    words = next(line for line in changes(season, SEASON) if line.startswith(task))
    assert ("becomes" in words) is (reference != rule(SEASON, task).reference)


def test_a_reference_falls_when_its_evidence_is_gone() -> None:
    spec = SPECS["house-price"].model_copy(update={"honest_best": None})
    season = proposed(specs=SPECS | {"house-price": spec})
    assert rule(season, "house-price").reference == 0.879989
    assert any("0.931 becomes 0.879989 (the baseline" in line for line in changes(season, SEASON))


def test_a_task_without_a_baseline_or_a_positive_scale_is_shown_and_not_ranked() -> None:
    blotto, price = SPECS["colonel-blotto"], SPECS["house-price"]
    bare = blotto.model_copy(update={"transform": "identity"})
    smoke = price.model_copy(update={"baselines": tuple(b for b in price.baselines if b.profile == "smoke")})
    season = proposed(specs=SPECS | {"colonel-blotto": bare, "house-price": smoke})
    unranked = {r.id: r.baseline_source for r in season.tasks if not r.rankable}
    assert set(unranked) == {"colonel-blotto", "house-price"}
    assert "no positive scale" in unranked["colonel-blotto"]
    assert rule(season, "house-price").baseline is None
    assert season_yardstick(season).tasks == ("three-sat", "prisoners-dilemma", "battle-of-sexes")
    assert changes(season, SEASON)[-1].startswith("AUP of season-1 cannot be compared")
    assert Season.from_toml(to_toml(season, "season-0")) == season
    with pytest.raises(UsageError, match="nothing could be ranked"):
        proposed(specs={"house-price": smoke})


def test_a_cited_baseline_says_so_and_makes_no_published_value_comparable() -> None:
    price = SPECS["house-price"]
    cited = price.model_copy(update={"baselines": tuple(b for b in price.baselines if b.origin == "upstream")})
    assert rule(proposed(specs={"house-price": cited}), "house-price").baseline_source.startswith("cited: MLGym")
    assert published_compares(price)
    assert not published_compares(cited)
    assert not published_compares(SPECS["three-sat"]), "upstream's seconds are not our relative time"
    far = tuple(b.model_copy(update={"value": 0.8}) if b.origin == "upstream" else b for b in price.baselines)
    assert not published_compares(price.model_copy(update={"baselines": far}))


def test_what_a_new_season_looks_for_is_bounded_by_the_old_ones_reference() -> None:
    asked = {one.task: one for one in wanted(SPECS, SEASON)}
    assert asked["house-price"] == Wanted("house-price", "r2", True, False, True, 0.9310001903705818, "r2")
    assert asked["colonel-blotto"].published_metric == "Score"


def test_new_and_dropped_tasks_are_told() -> None:
    season = proposed(specs={task: spec for task, spec in SPECS.items() if task != "three-sat"})
    assert "three-sat: dropped" in changes(season, SEASON)
    assert next(line for line in changes(SEASON, season) if line.startswith("three-sat")).startswith("three-sat: new;")


positive = st.floats(1e-3, 1e3)


@given(st.lists(st.tuples(positive, st.floats(1, 50)), min_size=1, max_size=13), st.sampled_from(["max", "min"]))
def test_tau_max_is_the_smallest_tenth_that_holds_every_failure(
    pairs: list[tuple[float, float]], direction: str
) -> None:
    base = rule(SEASON, "house-price")
    rules = [
        base.model_copy(
            update={"direction": direction, "baseline": b, "reference": b * gain if direction == "max" else b / gain}
        )
        for b, gain in pairs
    ]
    worst = max(baseline_log_ratio(one, 0.05) for one in rules)
    assert worst == pytest.approx(log10(1.05 * max(gain for _, gain in pairs)))
    assert tau_max(rules, 0.05) - 0.1 - 1e-9 < worst <= tau_max(rules, 0.05) + 1e-9


scores = st.lists(st.lists(st.floats(-0.9, 3.0), min_size=5, max_size=5), min_size=1, max_size=8)


@given(scores, st.floats(0.25, 0.9), st.floats(0.1, 0.9))
def test_under_a_proposed_season_an_aup_depends_on_nobody_else(
    rows: list[list[float]], blotto: float, seconds: float
) -> None:
    season = proposed((*better("colonel-blotto", blotto), *better("three-sat", seconds)))
    yard = season_yardstick(season)
    scale = fixed_scale(yard.reference, yard.baseline, yard.maximise, season.eps, season.tau_max)
    together = aup(scale.log_ratios(yard.transform(np.array(rows))), season.tau_max)
    alone = [aup(scale.log_ratios(yard.transform(np.array([row]))), season.tau_max)[0] for row in rows]
    assert together.tolist() == alone
    failed = aup(scale.log_ratios(np.full((1, 5), np.nan)), season.tau_max)[0]
    assert failed >= 0
    assert all(value >= failed for value in alone)


def test_nobody_is_beyond_the_reference_that_the_board_itself_gave(facts: Facts) -> None:
    draws = random.Random(7)
    for name in range(30):
        facts.enter(f"entry-{name}")
        for seed in range(4):
            facts.value("colonel-blotto", 0.3 + draws.gauss(0, 0.01), draws.uniform(0.005, 0.02), seed=seed)
            facts.value("three-sat", 0.6 + draws.gauss(0, 0.02), draws.uniform(0.01, 0.04), seed=seed)
    assert "beyond-reference" in set(flags(facts.db, SEASON.tasks)["flag"])
    season = proposed(known_values(facts.db, wanted(SPECS, SEASON)))
    assert rule(season, "colonel-blotto").reference > 0.2476
    over = [
        (value, against)
        for flag, value, against in flags(facts.db, season.tasks).select("flag", "value", "against").rows()
        if flag == "beyond-reference"
    ]
    assert over == []


def test_the_file_reads_back_whatever_a_text_holds() -> None:
    hostile = '"""\\\n\x7f\t]] # x = 1 \u202e é'
    old = SEASON.tasks[0].model_copy(
        update={"title": hostile, "baseline_source": hostile, "trivial": (Trivial(what="a # b", value=1e-300),)}
    )
    season = SEASON.model_copy(update={"tasks": (old, *SEASON.tasks[1:]), "notes": (hostile,)})
    text = to_toml(season, "season-0")
    assert Season.from_toml(text) == season
    assert to_toml(season, "season-0") == text


def test_each_number_is_explained_in_the_file() -> None:
    lines = to_toml(proposed(), "season-0").splitlines()
    numbers = [i for i, line in enumerate(lines) if line.split(" = ")[0] in ("eps", "tau_max", "prices", "reference")]
    assert len(numbers) == 3 + len(SEASON.tasks)
    assert all(lines[i - 1].startswith("# ") for i in numbers)
    assert any("0.2409, of colonel-blotto" in line for line in lines)


def test_show_has_every_constant_and_its_source() -> None:
    assert table(SEASON).row_count == len(SEASON.tasks)
    assert len(sources(SEASON)) == 3 * len(SEASON.tasks)
    assert "prisoners-dilemma: reference exact optimum: always defect" in "\n".join(sources(SEASON))


def test_no_file_is_ever_overwritten_not_even_through_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "season-1.toml", tmp_path / "link.toml"
    write_new(file, "first\n")
    link.symlink_to(tmp_path / "nowhere.toml")
    for taken in (file, link):
        with pytest.raises(UsageError, match="is there already"):
            write_new(taken, "second\n")
    assert file.read_text() == "first\n"
    assert not (tmp_path / "nowhere.toml").exists()


def test_the_next_name_counts_on() -> None:
    assert (next_name("season-0"), next_name("season-9")) == ("season-1", "season-10")
    with pytest.raises(UsageError, match="--name"):
        next_name("autumn")


def test_the_command_reads_signed_and_regraded_entries(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    enter("good", everywhere(GOOD))
    enter("pasted", everywhere(GOOD | {"house-price": 0.999}))
    (submissions / "broken").mkdir()
    out = tmp_path / "season-1.toml"
    words = ["season", "propose", "--submissions", str(submissions), "--out", str(out)]
    first = CliRunner().invoke(gymboard.app, words)
    assert first.exit_code == 0, first.output
    season = Season.from_toml(out.read_text())
    assert rule(season, "three-sat").reference == pytest.approx(0.703)
    assert rule(season, "three-sat").reference_source.startswith("regraded: good, seed 0: 0.7, less 3")
    assert rule(season, "house-price").reference == 0.9310001903705818, "0.999 waits for a review"
    assert "three-sat: reference 1 becomes 0.703" in first.output
    assert "warning: broken: " in first.output
    before = out.read_bytes()
    assert isinstance(CliRunner().invoke(gymboard.app, words).exception, UsageError)
    assert out.read_bytes() == before
    other = tmp_path / "again.toml"
    assert CliRunner().invoke(gymboard.app, [*words[:-1], str(other)]).exit_code == 0
    assert other.read_bytes() == before

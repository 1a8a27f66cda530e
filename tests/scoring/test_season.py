"""The season board: values from our regrade and nothing else, and nobody's AUP depends on who else enters."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness.errors import UsageError
from harness.schema.task import load_task, tasks_root
from scoring.build import build_leaderboard
from scoring.leaderboard import Board, Row
from scoring.yardstick import TaskRule, load_season, season_yardstick
from tests.scoring.builder import GOOD, Values, decide, everywhere, include, regrade, run_bundle, write_entry
from tests.scoring.conftest import Enter

WEAK = {**GOOD, "house-price": 0.885, "colonel-blotto": -0.1}


def season(submissions: Path) -> Board:
    board = build_leaderboard(submissions).board("season", "season")
    assert board is not None
    return board


def row(submissions: Path, name: str) -> Row:
    return next(row for row in season(submissions).rows if row.id == name)


def test_a_regraded_entry_is_ranked_by_what_the_regrade_found(submissions: Path, enter: Enter) -> None:
    enter("honest", everywhere(GOOD))
    enter("boaster", everywhere({**GOOD, "house-price": 0.999}), found=everywhere(WEAK))
    board = season(submissions)
    assert [(r.id, r.standings["last"].rank) for r in board.rows] == [("honest", 1), ("boaster", 2), ("baseline", None)]
    boaster = board.rows[1]
    assert boaster.level == "regraded"
    assert boaster.cells[0].last.value == 0.885


def test_aup_is_the_definition(submissions: Path, enter: Enter) -> None:
    enter("honest", everywhere(GOOD))
    constants = {rule.id: rule for rule in load_season().tasks}
    logs = {
        "house-price": np.log10(constants["house-price"].reference / 0.92),
        "three-sat": np.log10(0.7 / 1.0),
        "prisoners-dilemma": np.log10(2.6251 / 2.6),
        "battle-of-sexes": np.log10(1.44 / 1.43),
        "colonel-blotto": np.log10((1 + 0.2476) / (1 + 0.2)),
        "cifar10": np.log10(0.8947 / 0.85),
        "fashion-mnist": np.log10(0.9451 / 0.93),
        "mnli": np.log10(constants["mnli"].reference / 0.8),
        "fineweb-lm": np.log10(4.2 / constants["fineweb-lm"].reference),
        "breakout": np.log10(constants["breakout"].reference / 60),
        "meta-maze": np.log10(93.9 / 60),
        "mountain-car": np.log10(97.018 / 95),
    }
    expected = sum(0.8 - log for log in logs.values()) / 12
    place = row(submissions, "honest").standings["last"]
    assert place.aup == pytest.approx(expected, abs=1e-12)
    assert place.mean_aup == pytest.approx(expected, abs=1e-12)
    assert place.by_domain["game-theory"] == pytest.approx(
        0.8 - sum(logs[task] for task in ("prisoners-dilemma", "battle-of-sexes", "colonel-blotto")) / 3
    )


def test_nobody_elses_entry_moves_mine(submissions: Path, enter: Enter) -> None:
    spread = {task: [[value * factor] for factor in (0.99, 1.0, 1.01, 0.995)] for task, value in GOOD.items()}
    enter("mine", spread)
    alone = row(submissions, "mine").standings["last"]
    enter("a-giant", everywhere({**GOOD, "house-price": 0.99, "three-sat": 0.1}))
    enter("z-dwarf", everywhere(WEAK))
    among = row(submissions, "mine").standings["last"]
    assert (among.aup, among.mean_aup) == (alone.aup, alone.mean_aup)
    assert (among.aup_interval, among.mean_interval) == (alone.aup_interval, alone.mean_interval)
    assert alone.aup_interval is not None
    assert alone.aup_interval.low < alone.aup_interval.high


def test_a_failed_episode_costs_and_the_last_submission_counts(submissions: Path, enter: Enter) -> None:
    values = everywhere(GOOD)
    values["house-price"] = [[0.93, 0.90], [], [], []]
    values["colonel-blotto"] = [[], [], [], []]
    enter("mixed", values)
    mixed = row(submissions, "mixed")
    house, blotto = mixed.cells[0], mixed.cells[4]
    assert (house.best.value, house.last.value) == (0.93, 0.90)
    assert (house.valid_episodes, house.episodes) == (1, 4)
    assert blotto.last.value is None
    penalty = np.log10(1.05 * (1 + 0.2476) / (1 - 0.2477))
    assert blotto.last.log10_ratio == pytest.approx(penalty)
    assert mixed.episodes == 48
    assert mixed.valid_episodes == 41
    assert mixed.failed == 7
    assert mixed.dominant_failure == "evaluation_error"


@pytest.mark.parametrize(("value", "counts_as"), [(0.96, 1.0), (1.04, 1.0), (0.94, 0.94)])
def test_noise_around_the_baseline_is_no_improvement(
    submissions: Path, enter: Enter, value: float, counts_as: float
) -> None:
    enter("timed", everywhere({**GOOD, "three-sat": value}))
    cell = row(submissions, "timed").cells[1]
    assert cell.last.value == counts_as
    assert cell.last.feasible
    assert cell.last.beats_baseline is (counts_as < 1.0)


@pytest.mark.parametrize(
    ("task", "value", "stderr", "counts_as"),
    [
        ("three-sat", 0.93, 0.01, 0.93),
        ("three-sat", 0.93, 0.02, 1.0),  # what an untouched starter scored once in 102 gradings: 3.3 errors
        ("three-sat", 0.89, 0.02, 0.89),
        ("house-price", 0.93, 0.02, 0.93),  # no noise declared: every value is its own
    ],
)
def test_a_timed_value_is_an_improvement_only_beyond_five_of_its_errors(
    submissions: Path, enter: Enter, task: str, value: float, stderr: float, counts_as: float
) -> None:
    values = everywhere({**GOOD, task: value})
    regrade(submissions, enter("timed", values), values, stderr)
    [cell] = [cell for cell in row(submissions, "timed").cells if cell.task == task]
    assert cell.last.value == counts_as


def test_what_is_not_ranked_says_why(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    enter("smoke", everywhere(GOOD), profile="smoke")
    enter("part", everywhere({"house-price": 0.9}))
    enter("short", {**everywhere(GOOD), "mnli": [[0.8]] * 3})
    enter("signed-only", everywhere(GOOD), found={"house-price": [[0.9]]})
    reasons = {r.id: r.not_ranked_because or "" for r in season(submissions).rows}
    assert "smoke" in reasons["smoke"]
    assert reasons["part"] == "partial: ran 1 of the season's 12 tasks"
    assert "lacks 1 of the season's 48" in reasons["short"]
    assert "is signed" in reasons["signed-only"]
    assert row(submissions, "signed-only").standings["last"].rank is None


def test_a_partial_entry_has_its_values_and_no_area(submissions: Path, enter: Enter) -> None:
    """What it never ran is no failure, and an AUP that took it for one would say nothing."""
    enter("whole", everywhere(GOOD))
    enter("part", everywhere({"house-price": 0.9}))
    board = season(submissions)
    part, whole = (next(r for r in board.rows if r.id == name) for name in ("part", "whole"))
    assert (part.partial, whole.partial) == (True, False)
    assert part.standings == {}
    assert part.cells[0].last.value == 0.9
    assert [cell.exits for cell in part.cells[1:]] == [{}] * 11
    assert "part" not in {curve.row for curve in board.curves}
    assert [task.entries for task in board.tasks] == [2, *[1] * 11]


@pytest.mark.parametrize(("value", "counts_as"), [(2.3795, 2.3768), (2.3741, 2.3768), (2.381, 2.381)])
def test_a_lucky_draw_of_the_untouched_starter_is_the_baseline(
    submissions: Path, enter: Enter, value: float, counts_as: float
) -> None:
    enter("lucky", everywhere({**GOOD, "prisoners-dilemma": value}))  # standard error 0.001
    last = row(submissions, "lucky").cells[2].last
    assert (last.value, last.beats_baseline, last.feasible) == (counts_as, value == counts_as, True)


def test_who_beats_plain_search(submissions: Path, enter: Enter) -> None:
    tuned = {"house-price": 0.91, "colonel-blotto": 0.2, "fineweb-lm": 4.3}
    rules = [rule.model_copy(update={"tuner_value": tuned.get(rule.id)}) for rule in load_season().tasks]
    constants = load_season().model_copy(update={"tasks": tuple(rules)})
    enter("better", everywhere(GOOD))
    enter("failed", everywhere(WEAK) | {"fineweb-lm": [[]] * 4})
    board = build_leaderboard(submissions, constants).board("season", "season")
    rows = {r.id: r for r in board.rows}
    assert rows["better"].standings["last"].beats_tuner == 2, "the same value does not beat it"
    assert rows["failed"].standings["last"].beats_tuner == 0
    last = {cell.task: cell.last.beats_tuner for cell in rows["failed"].cells}
    assert (last["house-price"], last["fineweb-lm"], last["mnli"]) == (False, None, None)
    assert {task.id: task.tuner for task in board.tasks if task.tuner is not None} == tuned
    unmeasured = [rule.model_copy(update={"tuner_value": None}) for rule in load_season().tasks]
    nobody = build_leaderboard(submissions, load_season().model_copy(update={"tasks": tuple(unmeasured)}))
    assert {r.standings["last"].beats_tuner for r in nobody.board("season", "season").rows} == {None}


def test_a_regrade_of_other_bytes_counts_for_nothing(submissions: Path, enter: Enter) -> None:
    claimed = everywhere(GOOD)
    found = {task: [[*seeds[0], 9.9]] * 4 for task, seeds in claimed.items()}  # an attempt that the bundle lacks
    enter("honest", claimed, found=found)
    assert row(submissions, "honest").cells[0].best.value == 0.92


def test_downgrade_and_removal(submissions: Path, enter: Enter) -> None:
    folder = enter("copied", everywhere(GOOD))
    decide(submissions, folder, "downgrade", level="signed")
    assert row(submissions, "copied").level == "signed"
    assert row(submissions, "copied").standings["last"].rank is None
    decide(submissions, folder, "removal")
    board = build_leaderboard(submissions)
    assert "copied" not in {r.id for r in board.boards[0].rows}
    assert "a copied artifact" in board.rejections[0].reasons[0]


def test_another_submitters_artifacts_earn_no_rank(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    def enter_as(submitter: str, name: str, values: Values) -> None:
        bundle = run_bundle(name, values).model_copy(update={"submitter": submitter})
        folder = write_entry(submissions, bundle, tmp_path / "keys")
        include(submissions, folder)
        regrade(submissions, folder, values)

    enter("original", everywhere(GOOD))
    enter_as("github:666", "a-copy", everywhere(GOOD))
    enter("again-by-the-same", everywhere(GOOD))
    standing = {r.id: (r.standings["last"].rank, r.not_ranked_because) for r in season(submissions).rows if r.entry}
    assert standing["a-copy"] == (None, "hands in an artifact of original, another submitter's, for battle-of-sexes")
    assert all(rank is not None for name, (rank, _) in standing.items() if name != "a-copy")


def test_another_starter_or_dataset_earns_no_rank(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    enter("whole", everywhere(GOOD))
    plain = run_bundle("easier", everywhere(GOOD))
    episodes = tuple(episode.model_copy(update={"variant": "buggy"}) for episode in plain.episodes)
    folder = write_entry(submissions, plain.model_copy(update={"episodes": episodes}), tmp_path / "keys")
    include(submissions, folder)
    regrade(submissions, folder, everywhere(GOOD))
    assert row(submissions, "whole").standings["last"].rank == 1
    assert "another starter" in (row(submissions, "easier").not_ranked_because or "")


def test_who_resubmits_stays_the_author(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    """A copy must not become the original because its author's bundle was replaced by a later one."""
    folder = enter("original", everywhere(GOOD))
    bundle = run_bundle("a-copy", everywhere(GOOD)).model_copy(update={"submitter": "github:666"})
    copied = write_entry(submissions, bundle, tmp_path / "keys")
    include(submissions, copied)
    regrade(submissions, copied, everywhere(GOOD))
    shutil.rmtree(folder)
    enter("original", everywhere(GOOD), model="gpt-4o-2024-08-06")
    standing = {r.id: (r.standings["last"].rank, r.not_ranked_because) for r in season(submissions).rows if r.entry}
    assert standing["original"] == (1, None)
    assert standing["a-copy"] == (None, "hands in an artifact of original, another submitter's, for battle-of-sexes")


def test_the_baselines_artifact_is_anybodys(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    values = everywhere({rule.id: rule.baseline for rule in load_season().tasks if rule.id in GOOD and rule.baseline})
    enter("first", values)
    bundle = run_bundle("second", values).model_copy(update={"submitter": "github:666"})
    folder = write_entry(submissions, bundle, tmp_path / "keys")
    include(submissions, folder)
    regrade(submissions, folder, values)
    assert row(submissions, "second").not_ranked_because is None


def test_pasted_public_labels_wait_for_a_person(submissions: Path, enter: Enter) -> None:
    folder = enter("pasted", everywhere(GOOD | {"house-price": 1.0}))
    enter("honest", everywhere(GOOD))
    assert "1 is beyond the best honest value known" in (row(submissions, "pasted").not_ranked_because or "")
    assert row(submissions, "honest").standings["last"].rank == 1
    decide(submissions, folder, "review")
    assert row(submissions, "pasted").standings["last"].rank == 1


def test_signature_and_inclusion_are_needed(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    write_entry(submissions, run_bundle("nobody-included", everywhere(GOOD)), tmp_path / "keys")
    changed = enter("changed", everywhere(GOOD)) / "bundle.json"
    changed.write_bytes(changed.read_bytes().replace(b'"tester"', b'"Tester"'))
    resigned = enter("resigned", everywhere(GOOD))
    (resigned / "bundle.json.sig").unlink()
    from harness.signing import make_demo_key, sign

    sign(resigned, make_demo_key(tmp_path / "other-keys"))
    unsigned = enter("unsigned", everywhere(GOOD)) / "bundle.json.sig"
    unsigned.unlink()
    enter("good", everywhere(GOOD))
    board = build_leaderboard(submissions)
    reasons = {one.folder: one.reasons[0] for one in board.rejections}
    assert "no inclusion" in reasons["nobody-included"]
    assert "no inclusion of exactly these bytes" in reasons["changed"]
    assert "but included with the key" in reasons["resigned"]
    assert "bundle.json.sig is missing" in reasons["unsigned"]
    assert [r.id for r in board.boards[0].rows] == ["good", "baseline"]


def test_an_unknown_price_is_not_zero(submissions: Path, enter: Enter) -> None:
    enter("unpriced", everywhere(GOOD), model="nobody-knows-1")
    enter("priced", everywhere(WEAK), model="gpt-4o")
    board = season(submissions)
    unpriced = next(r for r in board.rows if r.id == "unpriced")
    assert unpriced.cost.usd_per_episode is None
    assert "no price" in unpriced.cost.words
    assert {(p.row, p.frontier) for p in board.pareto} == {("unpriced", False), ("priced", True)}
    priced = next(r for r in board.rows if r.id == "priced")
    assert priced.cost.usd_per_episode == pytest.approx(2.5 + 1.0)


def test_an_empty_board(submissions: Path) -> None:
    board = season(submissions)
    assert [r.id for r in board.rows] == ["baseline"]
    assert board.sentences == ("No entry is ranked yet.",)


def test_season_constants_hold_together() -> None:
    constants = load_season()
    yard = season_yardstick(constants)
    assert (yard.baseline > 0).all(), "a baseline that is not positive needs a transform"
    assert (yard.reference > 0).all()
    worst = max(
        np.log10((1 + constants.eps) * (ref / base if up else base / ref))
        for ref, base, up in zip(yard.reference, yard.baseline, yard.maximise, strict=True)
    )
    assert constants.tau_max - 0.1 < worst <= constants.tau_max
    with pytest.raises(UsageError, match="season-0"):
        load_season("season-99")


@pytest.mark.parametrize("rule", load_season("season-0").tasks, ids=lambda rule: rule.id)
def test_season_measures_what_the_task_declares(rule: TaskRule) -> None:
    task = load_task(tasks_root() / rule.id)
    assert (rule.metric, rule.direction, rule.transform) == (task.metric.name, task.metric.direction, task.transform)
    assert rule.public_labels == task.public_labels
    assert (rule.domain, rule.validations) == (task.domain, task.limits.validations)
    known = task.baseline("official") or task.baseline("official", "upstream")
    assert known is not None
    assert rule.baseline == pytest.approx(known.value, abs=known.tolerance or 0.0)
    if task.honest_best and task.honest_best.metric == rule.metric:
        assert rule.reference == task.honest_best.value


def test_more_seeds_than_four_buy_nothing(submissions: Path, enter: Enter) -> None:
    values = everywhere(GOOD)
    values["house-price"] = [*values["house-price"], [0.9999]]
    enter("lucky", values)
    cell = row(submissions, "lucky").cells[0]
    assert cell.best.value == 0.92
    assert (cell.valid_episodes, cell.episodes, len(cell.best.seeds)) == (4, 4, 4)


def test_the_digest_names_the_data(submissions: Path, enter: Enter) -> None:
    empty = build_leaderboard(submissions).data_sha256
    enter("honest", everywhere(GOOD))
    full = build_leaderboard(submissions)
    assert full.data_sha256 != empty
    assert full.data_sha256 == build_leaderboard(submissions).data_sha256
    assert full.data_sha256 != hashlib.sha256(b"").hexdigest()

"""What a regrade would do, before it does it; and the text of a challenge after it did."""

from __future__ import annotations

from harness.challenge import differs, draft, draft_broken
from harness.errors import VerificationError
from harness.regrade_plan import plan
from harness.schema.task import load_tasks
from tests.harness.sign.builder import Signed, csv
from tests.harness.sign.test_regrade import TRUE, Grader, again


def test_equal_bytes_are_graded_once_and_the_limit_bounds_what_nobody_knows(signed: Signed) -> None:
    rows = {one.task: one for one in plan(signed.bundle, load_tasks(signed.tasks))}
    play = rows["tiny-play"]
    assert (play.kind, play.attempts, play.grades) == ("play", 2, 1)
    assert abs((play.estimate_s or 0) - 0.1) < 1e-9 and play.bound_s == 600
    assert rows["tiny-predictions"].grades == 3
    assert all(one.download_bytes == 0 and one.note == "" for one in rows.values())


def test_the_plan_says_what_a_replay_costs_and_that_a_program_has_none(signed: Signed) -> None:
    rows = {one.task: one for one in plan(signed.bundle, load_tasks(signed.tasks))}
    assert {task: (one.replays, one.replay_s) for task, one in rows.items()} == {
        "tiny-play": (2, 25.0),
        "tiny-predictions": (2, 25.0),
    }
    opaque = signed.bundle.model_copy(update={"declares": ("command",)})
    assert {(one.replays, one.replay_s) for one in plan(opaque, load_tasks(signed.tasks))} == {(0, None)}


def test_the_plan_grades_what_the_regrade_grades(signed: Signed) -> None:
    grader = Grader()
    again(signed, grader)
    assert len(grader.jobs) == sum(one.grades for one in plan(signed.bundle, load_tasks(signed.tasks)))


def test_a_stranger_among_the_tasks_is_named_not_guessed(signed: Signed) -> None:
    rows = plan(signed.bundle, {})
    assert {one.note for one in rows} == {"not a task of this suite"}
    assert {one.estimate_s for one in rows} == {None}


def test_a_challenge_shows_what_differs_and_how_to_repeat_it(signed: Signed) -> None:
    import hashlib

    honest = again(signed)
    assert not differs(honest) and "0 of" in draft(honest)
    best = hashlib.sha256(csv(1, 2, 3)["out/submission.csv"]).hexdigest()
    report = again(signed, Grader({**TRUE, best: 0.9}))
    text = draft(report)
    assert differs(report)
    assert "| tiny-predictions/seed-0 | 0 | `rmse` | 0.5 | 0.9 | 0.4 | 1e-09 |" in text
    assert "gymboard challenge submissions/tiny-entry" in text


def test_evidence_that_does_not_hold_is_told_without_its_markup() -> None:
    text = draft_broken("mine", VerificationError("payload digest", "<b>`x`</b>\n@everyone"))
    assert "<b>`x`</b> @everyone" in text and "\n@everyone" not in text
    assert text.count("``") == 2

"""Challenge: the text of an issue about an entry. Takes what a regrade and the replay of one episode found, or why none
was possible, gives Markdown and the episode that is the cheapest to replay.

Every text of the entry is set as code, so that it can neither format nor call anybody. Sends nothing, judges nobody.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import GymboardError
from harness.payload import kept_attempts
from harness.schema.bundle import Bundle
from harness.schema.markdown import code
from harness.schema.regrade import Regraded, RegradeReport
from harness.schema.replay import ReplayReport, TaskReplay
from harness.schema.task import TaskSpec

MAX_LINES = 60


def cheapest(bundle: Bundle, tasks: Mapping[str, TaskSpec]) -> str | None:
    """The key of the episode to replay: the quickest that left an artifact, of a task that the job on main replays."""
    fits = [
        (episode.usage.wall_s or 0.0, episode.key)
        for episode in bundle.episodes
        if (spec := tasks.get(episode.task)) and spec.replay == "ci" and kept_attempts(episode, spec.metric)
    ]
    return min(fits)[1] if fits else None


def differs(report: RegradeReport, replay: ReplayReport | None = None) -> bool:
    """Whether a claim was not found again, or something could not be graded or led elsewhere when it was replayed."""
    graded = report.disagreements or not report.attempts or any("could not" in text for text in report.obstacles)
    return bool(graded or (replay and replay.differing))


def draft(report: RegradeReport, replay: ReplayReport | None = None) -> str:
    """Title, what was done, every difference, how to repeat it."""
    wrong = report.disagreements
    lines = [
        f"# Challenge: {report.entry}",
        "",
        f"Bundle `{report.bundle_sha256}`, profile {report.profile}, graded again with harness "
        f"{report.harness_version} (engine {report.engine}). {len(wrong)} of {len(report.attempts)} claim(s) were not "
        "found again.",
        "",
    ]
    if wrong:
        lines += [
            "| episode | attempt | metric | claimed | regraded | apart | allowed |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [_row(one) for one in wrong[:MAX_LINES]]
    if len(wrong) > MAX_LINES:
        lines += ["", f"{len(wrong) - MAX_LINES} more are left out here; the command below shows all."]
    if report.obstacles:
        lines += ["", "Noted while grading:", ""]
        lines += [f"- {code(text)}" for text in report.obstacles[:MAX_LINES]]
    for task in replay.tasks if replay else ():
        lines += ["", *_replayed(task)]
    return "\n".join([*lines, "", *_again(report.entry)])


def _replayed(task: TaskReplay) -> list[str]:
    """What the recorded actions led to; tasks that were left out are no news."""
    if task.outcome == "excused":
        return []
    if task.outcome == "unfinished":
        return [f"The recorded actions of {task.task} could not be replayed: {code(task.reason)}"]
    ids = ", with fresh ids" if task.fresh_ids else ""
    lines = []
    for episode in task.episodes:
        said = "the same result" if episode.agrees else "**another result**"
        lines += [f"The recorded actions of {task.task}/seed-{episode.seed}, executed again{ids}, led to {said}:", ""]
        if episode.diverged_at is not None:
            lines += [f"- diverged at step {episode.diverged_at}: {code(episode.divergence)}"]
        lines += [f"- attempt {one.attempt}: {code(one.sentence)}" for one in episode.attempts]
    return lines


def draft_broken(entry: str, error: GymboardError) -> str:
    """The evidence does not even hold: what failed, in the error's own words."""
    said = [f"# Challenge: {code(entry)}", "", "The entry's evidence does not hold:", "", f"- {code(str(error))}", ""]
    return "\n".join([*said, *_again(entry)])


def _row(one: Regraded) -> str:
    measured = one.measured.metrics.get(one.metric)
    numbers = (one.claimed, measured, one.difference, one.allowed)
    shown = " | ".join("-" if number is None else f"{number:.6g}" for number in numbers)
    return f"| {one.task}/seed-{one.seed} | {one.attempt} | {code(one.metric)} | {shown} |"


def _again(entry: str) -> list[str]:
    repeat = f"gymboard challenge submissions/{entry} --signers their.keys"
    return ["To repeat it, in a clone of the board:", "", code(repeat), ""]

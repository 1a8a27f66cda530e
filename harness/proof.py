"""`tasks check`: proves a task. Takes a Place, gives Findings; a task without a hole has only passed ones.

The untouched starter scores what task.toml says, the oracle wins, nop gets nothing, and every exploit is refused,
invalid, or no better than the starter measured in the same call. A planted bug shows: its starter fails or is worse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from harness.agents.baseline import baseline_agent
from harness.agents.nop import nop_agent
from harness.agents.oracle import oracle_agent, oracle_artifact
from harness.agents.scripted import ScriptedAgent
from harness.runner.place import Place
from harness.runner.run import run_episode
from harness.schema.episode import Attempt, Episode
from harness.schema.exploit import Exploit, load_exploits
from harness.schema.gain import margin
from harness.schema.steps import Action
from harness.schema.task import TaskSpec

Outcome = Literal["score", "no-gain", "gain", "worse", "invalid", "refused", "nothing"]


@dataclass(frozen=True)
class Finding:
    """One thing that was tried. `value` and `stderr` are in the unit of the task's ranked metric."""

    task: str
    what: str
    passed: bool
    outcome: Outcome
    value: float | None = None
    stderr: float | None = None
    detail: str = ""
    dataset: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def prove(place: Place, scratch: Path) -> Iterator[Finding]:
    """Run everything, one finding at a time. `scratch` receives the episodes' folders."""
    return (replace(finding, dataset=place.dataset) for finding in _findings(place, scratch))


def _findings(place: Place, scratch: Path) -> Iterator[Finding]:
    baseline = run_episode(place, baseline_agent(place.task), 0, scratch / "baseline")
    yield from _baseline_findings(place, baseline)
    floor = _score(place, baseline)
    artifact = oracle_artifact(place.task, place.folder, place.grader_data)
    yield _oracle_finding(place, run_episode(place, oracle_agent(artifact), 0, scratch / "oracle"), floor)
    yield _nop_finding(place, run_episode(place, nop_agent(), 0, scratch / "nop"))
    for name, variant in place.task.variants.items():
        if variant.overlay is not None and place.dataset is None:
            buggy = run_episode(
                replace(place, starter=name), baseline_agent(place.task), 0, scratch / f"starter-{name}"
            )
            yield _variant_finding(place, name, buggy, floor)
    skipped = not_tried(place)
    for exploit in load_exploits(place.folder):
        what = f"exploit {exploit.name}"
        if exploit.name in skipped:
            continue
        episode = run_episode(place, exploit_agent(exploit), 0, scratch / f"exploit-{exploit.name}")
        yield _exploit_finding(place, what, episode, floor, exploit)


def not_tried(place: Place) -> list[str]:
    """Exploits that this engine does not claim to stop, by name."""
    if place.engine.kind == "docker":
        return []
    return [exploit.name for exploit in load_exploits(place.folder) if exploit.spec.needs == "docker"]


def exploit_agent(exploit: Exploit) -> ScriptedAgent:
    """Puts the exploit's files into the workspace, runs its command, submits."""
    actions = [Action(kind="write", path=path, data=data) for path, data in exploit.files.items()]
    if exploit.spec.run:
        actions.append(Action(kind="bash", command=exploit.spec.run))
    return ScriptedAgent(f"exploit-{exploit.name}", actions)


def gains(task: TaskSpec, score: tuple[float, float], floor: tuple[float, float]) -> bool:
    """Whether `score` beats `floor` by more than chance explains; both are (value, standard error)."""
    ahead, needed = _ahead(task, score, floor)
    return ahead > needed


def doubt(task: TaskSpec, score: tuple[float, float], floor: tuple[float, float]) -> str:
    """Words for a score that is better than the floor and not by enough to say so; empty for any other."""
    ahead, needed = _ahead(task, score, floor)
    return f"better by {ahead:.4g}, and only more than {needed:.4g} would be a gain" if 0 < ahead <= needed else ""


def _ahead(task: TaskSpec, score: tuple[float, float], floor: tuple[float, float]) -> tuple[float, float]:
    """How much better the score is, and how much it must be to count, in the metric's unit."""
    return task.metric.sign * (score[0] - floor[0]), margin(task, math.hypot(score[1], floor[1]))


def _last(episode: Episode) -> Attempt:
    return episode.attempts[-1]


def _score(place: Place, episode: Episode) -> tuple[float, float] | None:
    sealed = _last(episode).sealed
    if sealed is None or not sealed.valid:
        return None
    name = place.task.metric.name
    return sealed.metrics[name], sealed.stderr.get(name, 0.0)


def _reason(episode: Episode) -> str:
    last = _last(episode)
    return last.refused or (last.sealed.invalid if last.sealed else None) or episode.exit_detail or ""


def _baseline_findings(place: Place, episode: Episode) -> Iterator[Finding]:
    task, score = place.task, _score(place, episode)
    if score is None:
        yield Finding(task.id, "baseline", False, "nothing", detail=_reason(episode))
        return
    sealed = _last(episode).sealed
    assert sealed is not None
    declared = [b for b in task.baselines if b.profile == place.profile and b.tolerance]
    if not declared:
        yield Finding(task.id, "baseline", False, "score", *score, detail="task.toml declares no tolerance for it")
    for wanted in declared:
        value = sealed.metrics[wanted.metric]
        assert wanted.tolerance is not None
        off = abs(value - wanted.value)
        text = f"{wanted.metric} {wanted.origin} {wanted.value:g} +- {wanted.tolerance:g}, off by {off:.4g}"
        error = sealed.stderr.get(wanted.metric)
        yield Finding(task.id, "baseline", off <= wanted.tolerance, "score", value, error, text)


def _oracle_finding(place: Place, episode: Episode, floor: tuple[float, float] | None) -> Finding:
    score = _score(place, episode)
    if score is None:
        return Finding(place.task.id, "oracle", False, "nothing", detail=_reason(episode))
    won = floor is not None and gains(place.task, score, floor)
    detail = doubt(place.task, score, floor) if floor else ""
    return Finding(place.task.id, "oracle", won, "gain" if won else "no-gain", *score, detail)


def _nop_finding(place: Place, episode: Episode) -> Finding:
    score = _score(place, episode)
    if score is not None:
        return Finding(place.task.id, "nop", False, "score", *score, detail="doing nothing must not score")
    return Finding(place.task.id, "nop", True, "nothing", detail=_reason(episode))


def _variant_finding(place: Place, name: str, episode: Episode, floor: tuple[float, float] | None) -> Finding:
    """A starter with a planted bug, run as it is: no score, or one that is worse beyond doubt."""
    what, score = f"starter {name}", _score(place, episode)
    if score is None:
        return Finding(place.task.id, what, floor is not None, "invalid", detail=_reason(episode))
    worse = floor is not None and gains(place.task, floor, score)
    detail = "" if worse else "its bug does not show: it must fail, or be worse by three standard errors"
    return Finding(place.task.id, what, worse, "worse" if worse else "no-gain", *score, detail)


def _exploit_finding(
    place: Place, what: str, episode: Episode, floor: tuple[float, float] | None, exploit: Exploit
) -> Finding:
    score = _score(place, episode)
    outcome: Outcome = "invalid"
    if score is not None:
        outcome = "gain" if floor is None or gains(place.task, score, floor) else "no-gain"
    elif _last(episode).refused:
        outcome = "refused"
    passed = outcome == exploit.spec.expect
    unsure = doubt(place.task, score, floor) if score and floor else ""
    detail = unsure or _reason(episode) if passed else f"expected {exploit.spec.expect}; {_reason(episode)}"
    value, stderr = score or (None, None)
    return Finding(place.task.id, what, passed, outcome, value, stderr, detail)

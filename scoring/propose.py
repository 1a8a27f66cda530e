"""Propose: the next season's constants from the tasks, the board's evidence and the season before.

Takes task specifications, known values and the previous season, gives a Season that is still a draft. Never reads the
clock or a rank, and never takes a figure over without saying where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, log10

from harness.errors import UsageError
from harness.schema.task import TaskSpec
from harness.schema.upstream import UPSTREAM_TASKS
from scoring.known import Known, Wanted
from scoring.yardstick import NOTHING_TO_SEARCH, TITLES, UNMEASURED, Season, TaskRule

EPS = 0.05
_UPSTREAM = {task.id: task for task in UPSTREAM_TASKS}


def wanted(specs: Mapping[str, TaskSpec], previous: Season) -> tuple[Wanted, ...]:
    """What known_values() has to look for."""
    before = {rule.id: rule for rule in previous.tasks}
    return tuple(
        Wanted(
            task=spec.id,
            metric=spec.metric.name,
            maximise=spec.metric.direction == "max",
            sampled=spec.grader.kind != "predictions",
            public_labels=spec.public_labels,
            known_best=_known_best(spec, before.get(spec.id)),
            published_metric=_UPSTREAM[spec.id].metric if published_compares(spec) else None,
        )
        for spec in specs.values()
    )


def published_compares(spec: TaskSpec) -> bool:
    """Do upstream's figures mean what ours mean? Yes where upstream's baseline in our ranked metric is our measured
    one, within the tolerance that the task declares."""
    ours, theirs = spec.baseline("official"), spec.baseline("official", "upstream")
    if spec.id not in _UPSTREAM or ours is None or theirs is None or theirs.tolerance is None:
        return False
    return abs(ours.value - theirs.value) <= theirs.tolerance


def propose(
    name: str,
    frozen: str,
    prices: str,
    previous: Season,
    specs: Mapping[str, TaskSpec],
    known: Sequence[Known],
    tuned: Sequence[Known] = (),
) -> Season:
    """A draft season over every task there is. `tuned`: what plain search reached, where it was run.

    Raises UsageError when no task could be ranked.
    """
    searched = {one.task: one for one in tuned}
    before = {rule.id: rule for rule in previous.tasks}
    rules = tuple(
        _rule(specs[task], before.get(task), [one for one in known if one.task == task], searched.get(task))
        for task in _in_order(specs, before)
    )
    ranked = [rule for rule in rules if rule.rankable]
    if not ranked:
        raise UsageError("no task has a baseline that was measured or cited, so nothing could be ranked")
    return Season(
        name=name,
        frozen=frozen,
        draft=True,
        eps=previous.eps,
        tau_max=tau_max(ranked, previous.eps),
        prices=prices,
        notes=_notes(len(ranked), len(rules)),
        tasks=rules,
    )


def baseline_log_ratio(rule: TaskRule, eps: float) -> float:
    """log10 of the ratio that an agent gets who fails this task: (1 + eps) times the baseline's."""
    baseline, reference = scaled(rule, rule.baseline), scaled(rule, rule.reference)
    if baseline is None or reference is None:
        raise ValueError(f"{rule.id} has no baseline or no reference")
    return log10((1 + eps) * (reference / baseline if rule.direction == "max" else baseline / reference))


def tau_max(rules: Iterable[TaskRule], eps: float) -> float:
    """The smallest tenth at which an agent that fails every task has rho = 1."""
    worst = max(baseline_log_ratio(rule, eps) for rule in rules)
    return ceil(round(worst * 10, 9)) / 10


def scaled(rule: TaskRule, value: float | None) -> float | None:
    """On the positive scale that the task declares."""
    return value if value is None or rule.transform == "identity" else (1 + value) / 2


def _rule(spec: TaskSpec, before: TaskRule | None, known: Sequence[Known], tuned: Known | None) -> TaskRule:
    baseline = spec.baseline("official") or spec.baseline("official", "upstream")
    rule = TaskRule(
        id=spec.id,
        title=before.title if before else TITLES.get(spec.id, spec.title),
        domain=spec.domain,
        metric=spec.metric.name,
        direction=spec.metric.direction,
        transform=spec.transform,
        baseline=baseline.value if baseline else None,
        baseline_source=f"{_ORIGIN[baseline.origin]}: {_line(baseline.source)}" if baseline else "none is known",
        tuner_value=tuned.value if tuned else None,
        tuner_source=tuned.source if tuned else UNMEASURED if spec.hyperparameters else NOTHING_TO_SEARCH,
        public_labels=spec.public_labels,
        noise=_noise(spec, before),
        validations=spec.limits.validations,
        sampled=spec.grader.kind != "predictions",
        tolerance=spec.grader.regrade_tolerance,
        trivial=before.trivial if before else (),
    )
    exact = before if before and before.reference_exact and same_measure(rule, before) else None
    value, source = (exact.reference, exact.reference_source) if exact else _reference(rule, spec, known)
    reference = {"reference": value, "reference_source": source, "reference_exact": exact is not None}
    return rule.model_copy(update={**reference, **_rankable(rule)})


def _noise(spec: TaskSpec, before: TaskRule | None) -> float | None:
    """As before; else 0 where a drawn grade has a baseline that we measured: what lies within three of its standard
    errors counts as the baseline, or four draws of the untouched starter would mostly beat it."""
    if before is not None and before.noise is not None:
        return before.noise
    return 0.0 if spec.grader.kind == "play" and spec.baseline("official") else None


def same_measure(rule: TaskRule, before: TaskRule) -> bool:
    """Is it the same quantity as in the season before?"""
    return (rule.metric, rule.direction, rule.transform) == (before.metric, before.direction, before.transform)


_ORIGIN = {"measured": "measured", "upstream": "cited"}


def _reference(rule: TaskRule, spec: TaskSpec, known: Sequence[Known]) -> tuple[float | None, str]:
    """The best of what the task declares and what is known, if it is better than the baseline; of equals the first."""
    best = (rule.baseline, "the baseline: nothing better is known that compares")
    for one in (_declared(spec), *known):
        if one is not None and _better(rule, one.value, best[0]):
            best = (one.value, one.source)
    return best


def _better(rule: TaskRule, value: float, than: float | None) -> bool:
    """Also beyond the noise around the baseline, and on the task's positive scale."""
    if (scaled(rule, value) or 0.0) <= 0:
        return False
    if rule.baseline is not None and abs(value - rule.baseline) <= (rule.noise or 0.0) * abs(rule.baseline):
        return False
    return than is None or (value > than if rule.direction == "max" else value < than)


def _rankable(rule: TaskRule) -> dict[str, object]:
    """A task is ranked when its baseline is known and positive on the scale that it declares."""
    if rule.baseline is None:
        return {"rankable": False, "baseline_source": "neither measured nor cited in the ranked metric: not ranked"}
    if (scaled(rule, rule.baseline) or 0.0) <= 0:
        words = f"{rule.baseline_source}; not positive, and the task declares no positive scale: not ranked"
        return {"rankable": False, "baseline_source": words}
    return {"rankable": True}


def _known_best(spec: TaskSpec, before: TaskRule | None) -> float | None:
    """What a reader of public labels has to beat to be held: the frozen reference, else the declared best."""
    if before is not None and before.metric == spec.metric.name and before.reference is not None:
        return before.reference
    declared = _declared(spec)
    return declared.value if declared else None


def _declared(spec: TaskSpec) -> Known | None:
    """What the task itself cites as the best honest value, in the ranked metric."""
    best = spec.honest_best
    return Known(spec.id, best.value, _line(best.source)) if best and best.metric == spec.metric.name else None


def _in_order(specs: Mapping[str, TaskSpec], before: Mapping[str, TaskRule]) -> list[str]:
    """Tasks of the season before in its order, then new ones in the suite's."""
    suite = [*_UPSTREAM, *sorted(set(specs) - set(_UPSTREAM))]
    return [task for task in dict.fromkeys([*before, *suite]) if task in specs]


def _notes(ranked: int, tasks: int) -> tuple[str, ...]:
    ours = f"{ranked} of the {len(UPSTREAM_TASKS)} tasks" if ranked == tasks else f"{ranked} ranked tasks of {tasks}"
    return (
        f"AUP of this season is over {ours}; it cannot be compared with the AUP of a season over other tasks.",
        "A reference is the best valid score known at the freeze: an exact optimum, what the task cites, a regraded "
        "value less 3 standard errors where a grade is drawn, a published value that compares, else the baseline.",
    )


def _line(text: str) -> str:
    return " ".join(text.split())

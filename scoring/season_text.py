"""A season in text: the TOML file with a comment at every number, what changed in words, and a table of constants.

Takes Season records, gives strings that read back as the same record. Never computes a constant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from harness.errors import UsageError
from scoring.propose import baseline_log_ratio
from scoring.yardstick import Season, TaskRule, Trivial


def to_toml(season: Season, previous: str) -> str:
    """The season's file. Raises UsageError if it would not read back as the same season."""
    text = "\n".join([*_head(season, previous), *(line for rule in season.tasks for line in _task(rule, season.eps))])
    if Season.from_toml(f"{text}\n", subject=season.name) != season:
        raise UsageError(f"{season.name} holds text that a TOML file cannot carry")
    return f"{text}\n"


def changes(season: Season, previous: Season) -> tuple[str, ...]:
    """What differs from the season before, one sentence a task or constant, and what stays."""
    before = {rule.id: rule for rule in previous.tasks}
    now = {rule.id for rule in season.tasks}
    said = [f"{rule.id}: {_change(rule, before.get(rule.id))}" for rule in season.tasks]
    said += [f"{task}: dropped" for task in before if task not in now]
    for name, old, new in (
        ("tau_max", previous.tau_max, season.tau_max),
        ("eps", previous.eps, season.eps),
        ("prices", previous.prices, season.prices),
    ):
        said.append(f"{name}: {new} stays" if old == new else f"{name}: {old} becomes {new}")
    if _ranked(season) != _ranked(previous):
        said.append(f"AUP of {season.name} cannot be compared with AUP of {previous.name}: other tasks are ranked")
    return tuple(said)


def sources(season: Season) -> tuple[str, ...]:
    """Where each baseline, reference and value of plain search comes from."""
    return tuple(
        line
        for rule in season.tasks
        for line in (
            f"{rule.id}: baseline {rule.baseline_source}",
            f"{rule.id}: reference {_from(rule)}",
            f"{rule.id}: plain search {rule.tuner_source}",
        )
    )


def table(season: Season) -> Table:
    """The constants for people."""
    state = "a draft: its constants may still change" if season.draft else "frozen"
    shown = Table(
        title=Text(f"{season.name}, {season.frozen}, {state}"),
        caption=Text(f"tau_max {season.tau_max:g} · eps {season.eps:g} · prices of {season.prices}"),
    )
    for name in ("task", "metric", "baseline", "reference", "log10 ratio", "plain search"):
        shown.add_column(name, justify="left" if name in ("task", "metric") else "right")
    for rule in season.tasks:
        metric = f"{rule.metric} {rule.direction}" + ("" if rule.transform == "identity" else f", {rule.transform}")
        ratio = f"{_ratio(rule):.4f}" if rule.rankable else "not ranked"
        tuned = "unmeasured" if rule.tuner_value is None else _number(rule.tuner_value)
        shown.add_row(*map(Text, (rule.id, metric, _number(rule.baseline), _number(rule.reference), ratio, tuned)))
    return shown


def _head(season: Season, previous: str) -> Iterator[str]:
    yield f"# Proposed from {previous}, the tasks and the board's evidence by `gymboard season propose`."
    yield "# While `draft` is true no entry has been ranked under it and the values may still be put right."
    yield f"name = {_text(season.name)}"
    yield "# The newest day in the evidence, or as it was asked for."
    yield f"frozen = {_text(season.frozen)}"
    yield f"draft = {str(season.draft).lower()}"
    yield "# A task without a valid score, or below its baseline, counts as this much worse than the baseline."
    yield f"eps = {season.eps!r}"
    worst = max((rule for rule in season.tasks if rule.rankable), key=lambda rule: baseline_log_ratio(rule, season.eps))
    yield (
        f"# The smallest tenth at which an agent that fails every task has rho = 1: log10({1 + season.eps:g} x the "
        f"largest baseline ratio) = {baseline_log_ratio(worst, season.eps):.4f}, of {worst.id}."
    )
    yield f"tau_max = {season.tau_max!r}"
    yield "# Costs are computed in the price table of this day."
    yield f"prices = {_text(season.prices)}"
    yield f"notes = [\n{''.join(f'  {_text(note)},{chr(10)}' for note in season.notes)}]"


def _task(rule: TaskRule, eps: float) -> Iterator[str]:
    yield "\n[[tasks]]"
    for name in ("id", "title", "domain", "metric", "direction", "transform"):
        if name != "transform" or rule.transform != "identity":
            yield f"{name} = {_text(getattr(rule, name))}"
    if rule.baseline is not None:
        yield f"baseline = {rule.baseline!r}"
    yield f"baseline_source = {_text(rule.baseline_source)}"
    if rule.rankable:
        yield f"# log10(reference over baseline) {_ratio(rule):.4f}; failing costs {baseline_log_ratio(rule, eps):.4f}"
    if rule.reference is not None:
        yield f"reference = {rule.reference!r}"
    yield f"reference_source = {_text(rule.reference_source)}"
    if rule.tuner_value is not None:
        yield f"tuner_value = {rule.tuner_value!r}"
    yield f"tuner_source = {_text(rule.tuner_source)}"
    for name in ("reference_exact", "public_labels", "sampled"):
        if getattr(rule, name):
            yield f"{name} = true"
    if not rule.rankable:
        yield "rankable = false"
    for name in ("noise", "validations"):
        if getattr(rule, name) is not None:
            yield f"{name} = {getattr(rule, name)!r}"
    if rule.tolerance:
        yield f"tolerance = {rule.tolerance!r}"
    if rule.trivial:
        yield "# Submissions without any idea, measured on our grader."
        yield "trivial = [\n" + "".join(f"  {_trivial(one)},\n" for one in rule.trivial) + "]"


def _trivial(one: Trivial) -> str:
    error = "" if one.stderr is None else f", stderr = {one.stderr!r}"
    return f"{{ what = {_text(one.what)}, value = {one.value!r}{error} }}"


def _change(rule: TaskRule, before: TaskRule | None) -> str:
    ranked = "" if rule.rankable else f"; not ranked: {rule.baseline_source}"
    if before is None:
        return f"new; baseline {_number(rule.baseline)}, reference {_number(rule.reference)} ({_from(rule)}){ranked}"
    if rule.reference == before.reference:
        said = f"reference {_number(rule.reference)} stays ({_from(rule)})"
    else:
        said = f"reference {_number(before.reference)} becomes {_number(rule.reference)} ({_from(rule)})"
    if rule.baseline != before.baseline:
        said += f"; baseline {_number(before.baseline)} becomes {_number(rule.baseline)}"
    if rule.rankable and not before.rankable:
        said += "; is ranked now"
    return said + ranked


def _from(rule: TaskRule) -> str:
    """Exactness in its source's own words, or in one."""
    stated = not rule.reference_exact or rule.reference_source.startswith("exact")
    return rule.reference_source if stated else f"exact: {rule.reference_source}"


def _ratio(rule: TaskRule) -> float:
    return abs(baseline_log_ratio(rule, 0.0))


def _ranked(season: Season) -> list[str]:
    return sorted(rule.id for rule in season.tasks if rule.rankable)


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6g}"


def _text(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's, but DEL must be one."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

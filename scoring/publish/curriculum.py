"""What a task can begin with: its starters, its datasets, what a plain search may turn.

Takes a TaskSpec, gives Markdown for the task's page. Never says what only a person should know to an agent: the pages
are for people.
"""

from __future__ import annotations

from harness.schema.search import Hyperparameter
from harness.schema.task import DEFAULT_DATASET, Dataset, TaskSpec
from scoring.publish.formats import number
from scoring.publish.markdown import plain

_RANKED = "Only the whole starter on the task's own dataset is ranked; the others are for practice."


def starters(task: TaskSpec) -> str:
    """One row a starter, as `gymboard run --starter` names it."""
    whole = f"The whole starter; `{task.starter_command}` makes the baseline's artifact."
    rows = [f"| `{name}` | {plain(other.summary) if other else whole} |" for name, other in task.starters.items()]
    return "\n".join([f"{_RANKED}\n", "| `--starter` | what the agent finds |", "|---|---|", *rows, ""])


def datasets(task: TaskSpec) -> str:
    """One row a dataset, as `gymboard run --dataset` names it, with the baseline that was measured on it."""
    own = task.baseline("official") or task.baseline("official", "upstream")
    rows = [f"| `{DEFAULT_DATASET}` | The task's own. | {number(own.value, 4) if own else 'unmeasured'} |"]
    rows += [
        f"| `{name}` | {plain(other.summary)} | {_baseline(task, other)} |" for name, other in task.datasets.items()
    ]
    return "\n".join(
        [f"| `--dataset` | what it is | baseline, {plain(task.metric.label)} |", "|---|---|---:|", *rows, ""]
    )


def _baseline(task: TaskSpec, other: Dataset) -> str:
    values = [b.value for b in other.baselines if (b.profile, b.metric) == ("official", task.metric.name)]
    return number(values[0], 4) if values else "unmeasured"


def hyperparameters(task: TaskSpec) -> str:
    """One row a hyperparameter that the `tuner` agent may turn."""
    if not task.hyperparameters:
        return "The starter declares nothing that a plain hyperparameter search could turn.\n"
    rows = [f"| `{one.variable}` | {one.default} | {_range(one)} |" for one in task.hyperparameters]
    head = "What the agent `tuner`, a plain hyperparameter search without a model, may turn:\n"
    return "\n".join([head, "| variable | starter's own | from, to |", "|---|---:|---|", *rows, ""])


def _range(one: Hyperparameter) -> str:
    if one.kind == "choice":
        return ", ".join(f"`{choice}`" for choice in one.choices)
    return f"{one.low:g} to {one.high:g}" + (", on a log scale" if one.log else "")

"""The pages that mkdocs reads but nobody writes by hand: tasks, shells, the index of decisions.

Takes task folders and site/docs, writes Markdown into a build folder, never into site/docs. What a task says is trusted
(it was reviewed) but is printed as plain text; what an entry says never appears here, only slots for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.schema.exploit import load_exploits
from harness.schema.task import Baseline, Resource, Source, TaskSpec
from scoring.publish.curriculum import datasets, hyperparameters, starters
from scoring.publish.dictionary import tables_page
from scoring.publish.formats import DOMAINS, number
from scoring.publish.generator import decision_records
from scoring.publish.markdown import plain
from scoring.publish.stamp import slot

_ASIDE = ("hide:", "  - navigation", "search:", "  exclude: true")
"""Pages of which there may be thousands: in no navigation, in no search."""
_WIDE = ("hide:", "  - toc")
"""Front matter of a page whose tables need the room."""


def block(name: str) -> str:
    """A slot for markup, on a line of its own and out of the search index."""
    return f'<div class="gb" data-search-exclude>{slot(name)}</div>\n'


def write_pages(docs: Path, tasks: Mapping[str, TaskSpec], root: Path) -> None:
    """Write every generated page under `docs`. `root` is the folder of the tasks."""
    (docs / "tasks").mkdir(exist_ok=True)
    (docs / "entries").mkdir(exist_ok=True)
    (docs / "tasks" / "index.md").write_text(_task_index(tasks), encoding="utf-8")
    for task in tasks.values():
        (docs / "tasks" / f"{task.id}.md").write_text(_task_page(task, root / task.id), encoding="utf-8")
    (docs / "entries" / f"{slot('entry-page')}.md").write_text(_entry_shell(), encoding="utf-8")
    (docs / "ledger").mkdir(exist_ok=True)
    (docs / "ledger" / f"{slot('ledger-page')}.md").write_text(_ledger_shell(), encoding="utf-8")
    (docs / "tables.md").write_text(tables_page(), encoding="utf-8")
    _write_decisions(docs / "decisions")


def _front(title: str, description: str, *more: str) -> str:
    return "\n".join(["---", f'title: "{title}"', f'description: "{description}"', *more, "---", ""])


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')


def _task_index(tasks: Mapping[str, TaskSpec]) -> str:
    lines = [
        _front("Tasks", "The tasks of Gymboard: what is asked, how it is measured, and the baseline to beat", *_WIDE),
        "# Tasks\n",
        f"{len(tasks)} of the thirteen tasks of MLGym-Bench are complete here. Each page is made from the task's own "
        "folder: the metric, the baseline and its source, where it differs from MLGym, how it has been attacked, and "
        "what is not stopped.\n",
        "| task | domain | grader | baseline | metric |",
        "|---|---|---|---:|---|",
    ]
    for task in tasks.values():
        baseline = task.baseline("official") or task.baseline("official", "upstream")
        value = f"{number(baseline.value)} ({baseline.origin})" if baseline else "not measured"
        arrow = "higher" if task.metric.direction == "max" else "lower"
        lines.append(
            f"| [{plain(task.title)}]({task.id}.md) | {DOMAINS[task.domain]} | {task.grader.kind} | {value} | "
            f"{plain(task.metric.label)}, {arrow} is better |"
        )
    return "\n".join([*lines, "", "## Scores by task {#by-task}\n", block("by-task")])


def _task_page(task: TaskSpec, folder: Path) -> str:
    parts = [
        _front(_quoted(task.title), _quoted(task.summary), f"card: task-{task.id}", *_WIDE),
        f"# {plain(task.title)}\n",
        f"{plain(task.summary)}\n",
        _facts(task),
        "## Scores\n",
        block("scores"),
        "## What the agent is told\n",
        "The file `instruction.md`, verbatim.\n",
        _verbatim((folder / "instruction.md").read_text(encoding="utf-8")),
        "## Starters and datasets\n",
        starters(task),
        datasets(task),
        hyperparameters(task),
        "## Baseline\n",
        _baselines(task.baselines),
        *_resources(task.resources),
        "## Differences from MLGym\n",
        *[f"- {plain(line)}" for line in task.differences],
        "",
        "## How it has been attacked\n",
        _exploits(folder),
        "## What is not stopped\n",
        *[f"- {plain(line)}" for line in task.not_stopped],
        "",
    ]
    return "\n".join(parts)


def _facts(task: TaskSpec) -> str:
    limits, better = task.limits, "higher" if task.metric.direction == "max" else "lower"
    unit = f" ({plain(task.metric.unit)})" if task.metric.unit else ""
    rows = [
        ("Metric", f"{plain(task.metric.label)}{unit}, {better} is better"),
        ("Also reported", ", ".join(plain(m.label) for m in task.metrics[1:]) or "nothing"),
        ("Artifact", ", ".join(f"`{a.path}` (at most {a.max_bytes:,} bytes)" for a in task.artifact)),
        ("Grader", f"{task.grader.kind}, version {task.grader.version}"),
        (
            "Limits",
            f"{limits.steps} steps, ${limits.cost_usd:g} of model cost, {limits.training_time_s:,} s a training run",
        ),
        (
            "Replayed by",
            {"ci": "our continuous integration", "maintainer": "a maintainer", "no": "nobody"}[task.replay],
        ),
        (
            "Test labels",
            "public, so a score above the honest ceiling is held for review" if task.public_labels else "not public",
        ),
        ("In MLGym", f"`{task.upstream_id}`"),
        ("Identifier", f"`{task.id}`, version {task.version}"),
    ]
    if task.sources:
        rows.append(("Official data", "; ".join(map(_source, task.sources))))
    if best := task.honest_best:
        rows.insert(2, ("Best honest value known", f"{number(best.value)} ({plain(best.source)})"))
    return "\n".join(["| | |", "|---|---|", *[f"| {name} | {value} |" for name, value in rows], ""])


def _source(source: Source) -> str:
    doubt = f", digest not verified here: {plain(source.unverified)}" if source.unverified else ""
    size = f"{source.size_bytes:,} bytes" if source.size_bytes else "size unknown"
    digest = f"SHA-256 `{source.sha256[:12]}...`" if source.sha256 else "SHA-256 unknown"
    return f"`{source.name}` ({size}, {digest}{doubt})"


def _verbatim(text: str) -> str:
    fence = "~" * (max([2, *(len(run) for run in re.findall(r"~+", text))]) + 1)
    return f"{fence} text\n{text.rstrip()}\n{fence}\n"


def _baselines(baselines: tuple[Baseline, ...]) -> str:
    lines = ["| origin | profile | metric | value | source |", "|---|---|---|---:|---|"]
    for base in baselines:
        error = f"&nbsp;±&nbsp;{number(base.stderr, 4)}" if base.stderr is not None else ""
        where = f"; {plain(base.hardware)}" if base.hardware else ""
        runs = f"; n = {base.n:,}" if base.n else ""
        lines.append(
            f"| {base.origin} | {base.profile} | `{base.metric}` | {number(base.value, 4)}{error} | "
            f"{plain(base.source)}{runs}{where} |"
        )
    return "\n".join(lines) + "\n"


def _resources(resources: tuple[Resource, ...]) -> list[str]:
    """One row for each part and machine; nothing for a task whose starter trains no network."""
    if not resources:
        return []
    lines = [
        "## What an official run needs\n",
        "A GPU's seconds are wall time. A CPU's are CPU seconds of one thread. The length is steps times seconds, an "
        "estimate.\n",
        "| part | machine | steps | seconds per step | length | peak GPU memory |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for one in resources:
        machine = plain(one.hardware) if one.hardware else f"{one.device.upper()}, unmeasured"
        seconds = "unmeasured" if one.seconds_per_step == "unmeasured" else f"{one.seconds_per_step:.3g}"
        memory = "–" if one.peak_gpu_mib is None else str(one.peak_gpu_mib)
        if isinstance(one.peak_gpu_mib, float):
            memory = f"{one.peak_gpu_mib:,.0f} MiB"
        length = "unmeasured" if one.run_s is None else _length(one.run_s)
        lines.append(f"| {plain(one.part)} | {machine} | {one.steps:,} | {seconds} | {length} | {memory} |")
    return ["\n".join(lines[:2]), "\n".join(lines[2:]) + "\n"]


def _length(seconds: float) -> str:
    """Seconds in the unit that reads best."""
    size, unit = next(((size, unit) for size, unit in ((3600, "h"), (60, "min")) if seconds >= 2 * size), (1, "s"))
    return f"{seconds / size:.3g} {unit}"


def _exploits(folder: Path) -> str:
    """One row for each exploit that `gymboard tasks check` runs."""
    exploits = load_exploits(folder)
    if not exploits:
        return "No exploit is recorded for this task yet.\n"
    outcomes = {
        "refused": "the copy-out refuses it",
        "invalid": "the grader gives no score",
        "no-gain": "scores no better than the baseline",
    }
    rows = [f"| {plain(e.spec.title)} | {plain(e.spec.threat)} | {outcomes[e.spec.expect]} |" for e in exploits]
    return "\n".join(
        [
            "Each of these is a test that `gymboard tasks check` runs. An exploit that scores must stay within the "
            "baseline plus three standard errors.\n",
            "| attack | what it would gain | must end so |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _entry_shell() -> str:
    head = _front(
        slot("entry-title"),
        slot("entry-description"),
        f"card: {slot('entry-card')}",
        *_ASIDE,
    )
    sections: tuple[tuple[str, str], ...] = (
        ("Tasks", "entry-tasks"),
        ("Conduct", "entry-conduct"),
        ("Episodes", "entry-episodes"),
    )
    sections += (("Provenance", "entry-provenance"),)
    body = "\n".join(f"## {title}\n\n{block(name)}" for title, name in sections)
    return f"{head}\n# {slot('entry-title')} {{ #entry }}\n\n{block('entry-head')}\n{body}"


def _ledger_shell() -> str:
    title = f"Ledger, lines {slot('ledger-range')}"
    head = _front(title, f"Decisions about the board: lines {slot('ledger-range')} of its ledger", *_ASIDE)
    more = "[Ledger](../ledger.md) says what the lines mean, and has the newest first."
    return f"{head}\n# {title} {{ #lines }}\n\n{more}\n\n{block('ledger-lines')}"


def _write_decisions(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    lines = [
        _front("Decisions", "Why Gymboard is as it is: one short record for each decision"),
        "# Decisions\n",
        "One short record for each decision that somebody may want to undo: what was decided, why, what it costs.\n",
        *[f"- [{_heading(path)}]({path.name})" for path in decision_records(folder.parent)],
    ]
    (folder / "index.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _heading(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    title = next((line[2:].strip() for line in lines if line.startswith("# ")), path.stem)
    return title.replace("[", "\\[").replace("]", "\\]")

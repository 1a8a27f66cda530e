"""A small Leaderboard with invented figures, whose entries say whatever a hostile submitter would say."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from harness.archive import write_archive
from harness.schema.bundle import AuditNote, Bundle, Citation, Entry, Hardware, PayloadPart
from harness.schema.episode import LETTERS, Attempt, Episode, ExitStatus, Usage, counted
from harness.schema.task import Direction
from harness.schema.upstream import UPSTREAM_TASKS
from scoring.export import write_database
from scoring.leaderboard import (
    Board,
    BoardTask,
    Cell,
    Constants,
    Cost,
    Curve,
    Interval,
    Leaderboard,
    ParetoPoint,
    Rejection,
    Row,
    RowKind,
    Score,
    Standing,
)
from scoring.ledger import Kind, LedgerLine, append_line
from scoring.load import Loaded
from scoring.publish.local import Local
from scoring.tables import shapes

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}{% x %}**b**[x](javascript:alert(1))\"'`\u202eslot--entry-head--slot"
LINE = HOSTILE.replace("\u202e", "")
"""What the schema lets an entry put on one line."""
CITATION = Citation(title=LINE, url="https://arxiv.org/abs/2502.14499", licence="CC BY-NC 4.0")
TAU_MAX = 1.2
ENDLESS = (
    "\U0001f9ea \U0001f468\u200d\U0001f52c \u05e9\u05dc\u05d5\u05dd \u0645\u0631 \u6f22\u5b57 e\u0301\u0302\u0303 "
    + "W" * 470
    + " "
)[:500] * 20
"""10,000 characters: emoji, right to left, ideographs, heaped accents, and words that no line can hold."""
NAMES = ("ada", "bell", "curie", HOSTILE, ENDLESS)
EXITS: dict[ExitStatus, int] = {"success": 30, "evaluation_error": 12, "max_steps": 8, "cost": 2}


def _score(value: float | None, baseline: float, best: float, direction: Direction, tasks: int) -> Score:
    ratio = 1.0 if value is None else max(0.0, math.log10(best / value if direction == "max" else value / best))
    better = value is not None and (value > baseline if direction == "max" else value < baseline)
    return Score(
        value=value,
        mean=value,
        stderr=None if value is None else 0.01,
        seeds=(value, None, value, value),
        log10_ratio=ratio,
        feasible=better,
        beats_baseline=None if value is None else better,
        contribution=max(0.0, TAU_MAX - ratio) / tasks,
    )


def _cell(number: int, task: BoardTask, strength: float, notes: tuple[AuditNote, ...]) -> Cell:
    baseline = task.baseline or 1.0
    factor = 0.9 + strength * (0.05 + 0.02 * (number % 4))
    value = (
        None
        if (number + round(strength * 7)) % 11 == 3
        else baseline * (factor if task.direction == "max" else 1 / factor)
    )
    best = baseline * (1.6 if task.direction == "max" else 1 / 1.6)
    score = _score(value, baseline, best, task.direction, len(UPSTREAM_TASKS))
    noted = tuple(note.model_copy(update={"value": value}) for note in notes if number == 4 and value is not None)
    return Cell(
        task=task.id,
        metric=task.metric,
        direction=task.direction,
        best=score,
        last=score,
        valid_episodes=3,
        episodes=4,
        validate_calls=9,
        exits={"success": 3, "evaluation_error": 1},
        notes=noted,
    )


def standing(rank: int | None, aup: float) -> Standing:
    return Standing(
        rank=rank,
        rank_low=rank and max(1, rank - 1),
        rank_high=rank and rank + 1,
        tie_group=rank and (rank + 1) // 2,
        aup=aup,
        aup_interval=Interval(low=aup - 0.04, high=aup + 0.03),
        mean_aup=aup - 0.02,
        borda=10.0,
        leave_one_out=(rank, rank + 1) if rank else None,
        by_domain={"rl": aup, "language": aup - 0.1},
    )


def tasks() -> tuple[BoardTask, ...]:
    return tuple(
        BoardTask(
            id=t.id,
            title=t.id.replace("-", " ").capitalize(),
            domain=t.domain,
            metric=t.metric,
            direction=t.direction,
            baseline=0.5 + number / 10,
            baseline_source="fixture",
            reference=1.0,
            best_reference=1.0,
            reference_source="fixture",
            rankable=True,
            beaten_by=2,
            entries=len(NAMES),
        )
        for number, t in enumerate(UPSTREAM_TASKS)
    )


def row(number: int, name: str, kind: RowKind = "entry") -> Row:
    note = AuditNote(task="colonel-blotto", seed=1, metric="Score", value=0.5, finding=HOSTILE, evidence=HOSTILE)
    cells = tuple(_cell(i, task, 3.0 - 0.6 * number, (note,)) for i, task in enumerate(tasks()))
    aup = sum(cell.last.contribution for cell in cells)
    rank = number + 1 if kind == "entry" else None
    line = {HOSTILE: LINE, ENDLESS: ENDLESS.replace("\u200d", "")[:100].strip()}.get(name, name)
    entry = Entry(
        id=f"entry-{number}",
        agent=line,
        agent_version=line,
        model=line,
        organization=line,
        url="https://example.org/?a='onmouseover=alert(1)//" if name == HOSTILE else None,
        date="2026-11-01",
    )
    return Row(
        kind=kind,
        entry=None if kind == "baseline" else entry,
        id="baseline" if kind == "baseline" else entry.id,
        label="Baseline" if kind == "baseline" else name,
        submitter=None if kind == "baseline" else "gymboard",
        level="reported" if kind == "entry" else None,
        profile="smoke" if kind == "preview" else "official",
        standings={"last": standing(rank, aup), "best": standing(rank, aup + 0.01)},
        cells=cells,
        cost=Cost(
            usd_per_episode=None if number == 2 or kind == "baseline" else 0.2 * (number + 1),
            source="recomputed",
            words=HOSTILE,
        ),
        valid_episodes=39,
        episodes=52,
        exits=EXITS if kind == "entry" else {},
        failed=13,
        incomplete=2,
        dominant_failure="evaluation_error",
        steps=1300,
        input_tokens=12_300_000,
        output_tokens=410_000,
        actions={"Edit": 100, "Python": 400, "Validate": 90, "Submit": 40},
        citation=CITATION,
        notes=(note,),
        not_ranked_because=HOSTILE if kind == "preview" else None,
    )


def board(rows: tuple[Row, ...], **changes: Any) -> Board:
    curves = tuple(_curve(r) for r in rows if r.standings)
    points = tuple(
        ParetoPoint(
            row=r.id,
            column="last",
            cost_usd=r.cost.usd_per_episode,
            aup=r.standings["last"].aup,
            frontier=r.id == "entry-0",
        )
        for r in rows
        if r.kind != "baseline" and r.standings
    )
    fields: dict[str, Any] = {
        "id": "published",
        "reading": "live",
        "title": "Published results",
        "constants": Constants(tau_max=TAU_MAX, eps=0.05, seeds=4, draws=2000, prices="2026-11-01"),
        "tasks": tasks(),
        "rows": rows,
        "curves": curves,
        "pareto": points,
        "sentences": (f"{HOSTILE} leads.", "Under $1 an episode, bell is best.", "Language is the hardest domain."),
        "caveats": ("These figures are not recomputed.",),
    }
    return Board(**{**fields, **changes})


def _curve(r: Row) -> Curve:
    ratios = sorted(c.last.log10_ratio or 0.0 for c in r.cells)
    return Curve(
        row=r.id, column="last", tau=tuple(ratios), rho=tuple((i + 1) / len(ratios) for i in range(len(ratios)))
    )


def leaderboard(preview: bool = False) -> Leaderboard:
    """Two readings of five entries, the fourth hostile in every field; a rejection, a ledger, perhaps a preview."""
    rows = (*(row(n, name) for n, name in enumerate(NAMES)), row(len(NAMES), "Baseline", "baseline"))
    shown = board((*rows, row(5, HOSTILE, "preview")), preview=True, title="Preview")
    return Leaderboard(
        data_sha256="0" * 64,
        data_date="2026-11-01",
        boards=(board(rows), board(rows, reading="mlgym-compat", title="As MLGym computes it")),
        previews=(shown,) if preview else (),
        rejections=(Rejection(folder=HOSTILE, reasons=(HOSTILE,)),),
        ledger=ledger(),
    )


@cache
def ledger() -> tuple[LedgerLine, ...]:
    """An inclusion of every entry, then the removal of one that was never on a board; every reason is hostile."""
    names = [*(f"entry-{number}" for number in range(len(NAMES))), "gone"]
    kinds: list[tuple[Kind, str]] = [*(("inclusion", name) for name in names), ("removal", "gone")]
    with tempfile.TemporaryDirectory() as work:
        return tuple(
            append_line(
                Path(work) / "ledger.jsonl",
                {
                    "time": f"2026-11-{number + 1:02}T12:00:00Z",
                    "kind": kind,
                    "entry": name,
                    "bundle_sha256": f"{names.index(name):064x}",
                    "reason": f"{HOSTILE}\x00\x1b]0;x\x07\ufffe {ENDLESS[:1500]}",
                },
            )
            for number, (kind, name) in enumerate(kinds)
        )


PAYLOAD = "https://payload.example/entries/house-price.tar.zst"
KEY = "house-price/seed-0"
TRACE = "EVPA-PU"
by_letter = {letter: kind for kind, letter in LETTERS.items()}


def step_lines() -> bytes:
    """A steps.jsonl whose every text is hostile."""
    kinds = ("write", "tool", "bash", "validate", "none", "bash", "submit")
    actions = [
        {"kind": kind, "thought": f"{HOSTILE} {number}", "command": HOSTILE, "path": HOSTILE, "reasoning": HOSTILE}
        for number, kind in enumerate(kinds, start=1)
    ]
    actions[1] |= {"tool": "open", "arguments": {"path": HOSTILE}}
    lines = [
        {"step": number, "time": "2026-11-01T00:00:00Z", "action": action, "observation": HOSTILE, "duration_s": 1.5}
        | ({"exit_code": 1} if number == 3 else {})
        for number, action in enumerate(actions, start=1)
    ]
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


@cache
def part() -> bytes:
    """A real payload part, with the steps of one episode."""
    with tempfile.TemporaryDirectory() as work:
        steps, out = Path(work) / "steps.jsonl", Path(work) / "part"
        steps.write_bytes(step_lines())
        write_archive(out, {f"{KEY}/steps.jsonl": steps, f"{KEY}/workspace.patch": steps})
        return out.read_bytes()


def bundle(entry: str = "entry-3", location: str | None = PAYLOAD) -> Bundle:
    """A bundle whose every free field is hostile, with one failed episode."""
    episode = Episode(
        task="house-price",
        task_version="1.0.0",
        profile="official",
        seed=0,
        exit_status="runtime",
        exit_detail=HOSTILE,
        steps=len(TRACE),
        actions=counted([by_letter.get(letter) for letter in TRACE]),
        trace=TRACE,
        attempts=(Attempt(index=0, step=4, kind="validate", refused=HOSTILE),),
        usage=Usage(reported_cost_usd=0.1),
    )
    digest = hashlib.sha256(part()).hexdigest()
    packed = PayloadPart(name="house-price.tar.zst", sha256=digest, size_bytes=len(part()), location=location)
    return Bundle(
        schema_version=1,
        suite_version="1.0.0",
        origin="import",
        submitter="gymboard",
        entry=Entry(id=entry, agent=LINE, agent_version=LINE, date="2026-11-01"),
        profile="official",
        declares=(LINE, "gateway"),
        harness_version="0.1.0",
        created="2026-11-01T00:00:00Z",
        episodes=(episode,),
        payload=(packed,),
        hardware=Hardware(cpu=LINE, cores=2, memory_gib=8, gpu=LINE),
        citation=CITATION,
    )


def loaded() -> dict[str, Loaded]:
    """The bundle of entry-3, the hostile one, and of the preview."""
    return {"entry-3": Loaded(bundle(), "1" * 64), "entry-5.preview": Loaded(bundle("entry-5", None), "1" * 64)}


def write_local(folder: Path) -> Local:
    """The preview's bundle folder, with its part beside."""
    folder.mkdir()
    (folder / "bundle.json").write_bytes(bundle("entry-5", None).canonical())
    (folder / "house-price.tar.zst").write_bytes(part())
    return Local(folder)


def no_tables(folder: Path) -> None:
    """Every table, empty."""
    for shape in shapes().values():
        pl.DataFrame(schema=shape.schema).write_parquet(folder / f"{shape.name}.parquet")
    write_database(folder)

"""Boards that nobody wishes for: empty, of one entry, of entries that failed, have no price, were removed or wait.

Takes a folder, gives a built site. Entries are signed, included and regraded for real; only a name of 300 characters,
which the schema refuses, is put into a record by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.schema.bundle import Bundle
from harness.schema.digest import file_sha256
from harness.schema.episode import Verdict
from harness.schema.task import load_tasks
from scoring.conduct import Conduct
from scoring.leaderboard import Leaderboard, Row
from scoring.ledger import RegradeVerdict, append_regrade
from scoring.publish.build import build_site
from scoring.publish.preview import build_from
from tests.scoring.builder import (
    GOOD,
    NOW,
    Values,
    artifact,
    decide,
    everywhere,
    include,
    regrade,
    run_bundle,
    write_entry,
)
from tests.site.fixture import board, bundle, loaded, no_tables, row

LONG = f"An agent whose name goes on {'and on ' * 37}to its very end"
"""300 characters and a few."""
UNBROKEN = "Wide" * 75
GARBAGE = everywhere(dict.fromkeys(GOOD, 0.0))
"""One attempt an episode, with an artifact that no grader takes."""


def _enter_garbage(submissions: Path, name: str) -> None:
    """An entry all of whose artifacts were graded, and none of which is valid."""
    folder = write_entry(submissions, run_bundle(name, GARBAGE), submissions.parent / "keys")
    include(submissions, folder)
    invalid = Verdict(split="sealed", invalid="not a table", grader_version="1.0.0", duration_s=1.0)
    about = {"entry": name, "time": NOW, "reason": "test", "bundle_sha256": file_sha256(folder / "bundle.json")}
    found = [
        RegradeVerdict(task=task, seed=seed, attempt=0, artifact_sha256=artifact(task, seed, 0), verdict=invalid)
        for task, seeds in GARBAGE.items()
        for seed in range(len(seeds))
    ]
    append_regrade(submissions, about, found)


def _enter(submissions: Path, made: Bundle, values: Values) -> Path:
    folder = write_entry(submissions, made, submissions.parent / "keys")
    include(submissions, folder)
    regrade(submissions, folder, values)
    return folder


def _submissions(work: Path) -> Path:
    folder = work / "submissions"
    folder.mkdir(parents=True)
    return folder


def empty(work: Path) -> Path:
    return build_from(_submissions(work), work / "site", None).parent


def one_entry(work: Path) -> Path:
    folder = _submissions(work)
    _enter(folder, run_bundle("alone", everywhere(GOOD)), everywhere(GOOD))
    return build_from(folder, work / "site", None).parent


def all_failed(work: Path) -> Path:
    """Three of whose artifacts none is valid."""
    folder = _submissions(work)
    for name in ("first", "second", "third"):
        _enter_garbage(folder, name)
    return build_from(folder, work / "site", None).parent


def mixed(work: Path) -> Path:
    """A good one, one without any value, one of unknown cost, one that ran two tasks, one removed, one that waits."""
    folder = _submissions(work)
    good = everywhere(GOOD)
    _enter(folder, run_bundle("good", good), good)
    _enter_garbage(folder, "failed")
    _enter(folder, run_bundle("unpriced", good, model="nobody/ever-priced-it"), good)
    two = {task: good[task] for task in ("house-price", "mnli")}
    _enter(folder, run_bundle("partial", two), two)
    gone = _enter(folder, run_bundle("gone", good), good)
    decide(folder, gone, "removal")
    include(folder, write_entry(folder, run_bundle("waiting", good), work / "keys"))
    return build_from(folder, work / "site", None).parent


def long_names(work: Path) -> Path:
    """Five agents with names of 300 characters, words or none, two of them at the front of both charts."""
    names = (LONG, UNBROKEN, LONG[::-1], "漢字" * 150, UNBROKEN.lower())
    rows: list[Row] = [_called(row(number, "ada"), name) for number, name in enumerate(names)]
    shown = board(
        (*rows, row(len(rows), "Baseline", "baseline")),
        sentences=tuple(f"{name} leads." for name in names[:3]),
        headline=tuple(f"{name} leads." for name in names[:3]),
    )
    compat = shown.model_copy(update={"reading": "mlgym-compat"})
    records = Leaderboard(data_sha256="0" * 64, data_date="2026-11-01", boards=(shown, compat))
    told = {"house-price": {one.id: {0: [(3, 0.7 + place / 10), (9, 0.9)]} for place, one in enumerate(rows)}}
    mix = {one.id: {"E": (1,) * 10} for one in rows}
    found = {"published": Conduct({"house-price": {"E": (1,) * 10}}, mix, {"success": (1,) * 10}, told)}
    site = build_site(records, load_tasks(), work / "site", tables=no_tables, loaded=loaded(), conduct=found)  # type: ignore[arg-type]
    return site.parent


def _called(one: Row, name: str) -> Row:
    assert one.entry is not None
    entry = one.entry.model_copy(update={"agent": name, "model": name, "organization": name})
    return one.model_copy(update={"label": name, "entry": entry})


def too_long(work: Path) -> Path:
    """The same name in a file: the schema refuses it, and the board goes on without."""
    folder = _submissions(work)
    _enter(folder, run_bundle("alone", everywhere(GOOD)), everywhere(GOOD))
    bad = bundle("too-long")
    bad = bad.model_copy(update={"entry": bad.entry.model_copy(update={"agent": LONG})})
    (folder / "too-long").mkdir()
    (folder / "too-long" / "bundle.json").write_bytes(bad.canonical())
    return build_from(folder, work / "site", None).parent


ODD: dict[str, Callable[[Path], Path]] = {
    "empty": empty,
    "one entry": one_entry,
    "all failed": all_failed,
    "mixed": mixed,
    "long names": long_names,
    "too long": too_long,
}

"""Comment: what a preview found, as the text of one comment on the pull request.

Takes the preview's archive, which a stranger's workflow may have written, and the changed files as GitHub's API lists
them; gives Markdown. Reads capped members by the one name that the changed files allow, holds them to their schemas,
believes no rank, level or check in them, and never unpacks, executes or fetches anything.
"""

from __future__ import annotations

import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field

from harness.errors import GymboardError, UsageError
from harness.schema.base import KebabId, Record
from harness.schema.bundle import Bundle
from harness.schema.markdown import code
from harness.schema.regrade import Regraded, RegradeReport
from harness.signing import BUNDLE
from scoring.build import build
from scoring.facts.evidence import read_plain

MARK = "<!-- gymboard preview -->"
MAX_ARCHIVE_BYTES = 16 << 20
MAX_MEMBER_BYTES = 8 << 20
MAX_MEMBERS = 64
MAX_CHANGED_BYTES = 4 << 20
MAX_ROWS = 80
MAX_CHARS = 60_000
"""GitHub takes 65,536."""
_ENTRY = re.compile(r"submissions/([a-z0-9]+(?:-[a-z0-9]+)*)/[^/]+")
_UNREADABLE = (
    *(GymboardError, OSError, EOFError, ValueError, RuntimeError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What reading an archive that anybody made can raise."""
_Found = TypeVar("_Found", bound=Record)


class ChangedFile(Record):
    """One file of a pull request: path and what happened to it."""

    filename: str = Field(max_length=4096)
    status: str = Field(max_length=20)


class FoundProblem(Record):
    """One problem that `gymboard check --json` printed."""

    severity: Literal["error", "warning"]
    path: str
    message: str


class Checked(Record):
    """What `gymboard check --json` printed."""

    problems: tuple[FoundProblem, ...] = Field(max_length=10_000)
    declares: dict[str, str] = Field(default={}, max_length=32)
    acceptable: bool


@dataclass(frozen=True)
class Changed:
    """The entries that a pull request touches, and everything else that it touches."""

    entries: tuple[KebabId, ...]
    others: tuple[str, ...]


def read_changed(file: Path) -> Changed:
    """A file of one JSON object a line. Raises SchemaError, GymboardError."""
    lines = read_plain(str(file), MAX_CHANGED_BYTES).splitlines()
    names = [ChangedFile.from_json(line, subject="changed files").filename for line in lines if line.strip()]
    matches = {name: _ENTRY.fullmatch(name) for name in names}
    entries = sorted({match[1] for match in matches.values() if match})
    return Changed(tuple(entries), tuple(name for name, match in matches.items() if not match))


def comment(archive: Path | None, changed: Changed, submissions: Path) -> str:
    """The comment. What is wrong with the archive is said in it: whoever wrote it must not be able to silence us."""
    lines = [MARK, "### Preview", ""]
    if len(changed.entries) != 1:
        lines.append(f"This pull request changes {len(changed.entries)} entries; a submission changes exactly one.")
    lines += list(_others(changed.others))
    if len(changed.entries) == 1:
        lines += _of_entry(archive, changed.entries[0], submissions)
    lines += [
        "",
        "A preview grants nothing: a pull request can change the workflow that made these figures. After a merge the "
        "artifacts are graded again on main, with other seeds, and only that counts.",
    ]
    return _short("\n".join(lines) + "\n")


def _others(names: Sequence[str]) -> Iterator[str]:
    if names:
        shown = ", ".join(code(name, 120) for name in names[:10])
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        yield f"**It also changes files that are not its entry's** (GB401, GB407): {shown}{more}."


def _of_entry(archive: Path | None, entry: str, submissions: Path) -> list[str]:
    if archive is None:
        return [f"The preview of {code(entry)} left no report; its log says why."]
    try:
        size = archive.stat().st_size
        if size > MAX_ARCHIVE_BYTES:
            raise GymboardError(f"it has {size:,} bytes, {MAX_ARCHIVE_BYTES:,} allowed")
        with zipfile.ZipFile(archive) as opened:
            if (members := len(opened.infolist())) > MAX_MEMBERS:
                raise GymboardError(f"it has {members} files, {MAX_MEMBERS} allowed")
            checked = _member(opened, f"{entry}/check.json", Checked)
            report = _member(opened, f"{entry}/regrade.json", RegradeReport)
            bundle = _member(opened, f"{entry}/{BUNDLE}", Bundle)
        return [
            f"Entry {code(entry)}.",
            *_problems(checked),
            *_regraded(report, entry),
            *_landing(bundle, entry, submissions),
        ]
    except _UNREADABLE as error:
        return [f"The preview's report cannot be read: {code(str(error), 1000)}"]


def _member(opened: zipfile.ZipFile, name: str, record: type[_Found]) -> _Found | None:
    """None when it is not there. Raises GymboardError when it is larger than it may be, SchemaError when it is odd."""
    if name not in opened.namelist():
        return None
    with opened.open(name) as stream:
        data = stream.read(MAX_MEMBER_BYTES + 1)
    if len(data) > MAX_MEMBER_BYTES:
        raise GymboardError(f"{name} has more than {MAX_MEMBER_BYTES:,} bytes")
    return record.from_json(data, subject=name)


def _problems(checked: Checked | None) -> Iterator[str]:
    if checked is None:
        yield "\nIt was not checked."
        return
    errors = sum(problem.severity == "error" for problem in checked.problems)
    yield f"\nRules: {errors} error(s), {len(checked.problems) - errors} warning(s)."
    if checked.problems:
        yield ""
    for problem in checked.problems[:20]:
        yield f"- {problem.severity}: {code(problem.path, 100)} {code(problem.message)}"


def _regraded(report: RegradeReport | None, entry: str) -> Iterator[str]:
    if report is None:
        yield "\nNothing was graded again."
        return
    if report.entry != entry:
        raise GymboardError(f"the report is about {report.entry!r}")
    if not report.attempts and not report.obstacles:
        yield "\nNothing was handed in, so there is nothing to grade again."
        return
    wrong = sorted(report.attempts, key=lambda one: one.agrees)
    yield (
        f"\n{len(report.attempts)} artifact(s) graded again, profile {report.profile}: "
        f"{len(report.disagreements)} claim(s) not found again.\n"
    )
    yield "| episode | attempt | metric | claimed | regraded | apart | allowed | |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from (_row(one) for one in wrong[:MAX_ROWS])
    if len(wrong) > MAX_ROWS:
        yield f"\n{len(wrong) - MAX_ROWS} more rows are left out; those that disagree come first."
    if report.obstacles:
        yield "\nNoted while grading:\n"
    yield from (f"- {code(text)}" for text in report.obstacles[:20])


def _row(one: Regraded) -> str:
    numbers = (one.claimed, one.measured.metrics.get(one.metric), one.difference, one.allowed)
    shown = " | ".join("-" if number is None else f"{number:.6g}" for number in numbers)
    cached = " (cached)" if one.cached else ""
    verdict = "agrees" if one.agrees else "**disagrees**"
    return f"| {one.task}/seed-{one.seed} | {one.attempt} | {code(one.metric, 60)} | {shown} | {verdict}{cached} |"


def _landing(bundle: Bundle | None, entry: str, submissions: Path) -> Iterator[str]:
    """Where its own claims would place it, computed here."""
    if bundle is None:
        return
    if bundle.entry.id != entry:
        raise GymboardError(f"the bundle calls itself {bundle.entry.id!r}")
    with tempfile.TemporaryDirectory(prefix="gymboard-comment-") as place:
        file = Path(place, BUNDLE)
        file.write_bytes(bundle.canonical())
        try:
            with build(submissions, readings=["season"], previews=[file]) as built:
                for ranking in built.previews:
                    yield f"\n{ranking.plan.title}: {_place(ranking.table('board').to_dicts(), entry)}"
        except UsageError as error:
            yield f"\nIt cannot be placed: {code(str(error))}"


def _place(rows: Sequence[dict[str, Any]], entry: str) -> str:
    last = [row for row in rows if row["score"] == "last"]
    ranked = sum(row["rank"] is not None for row in last)
    [own] = [row for row in last if row["entry"] == entry]
    if own["rank"] is None:
        return "unranked, by its own claims."
    return f"rank {own['rank_low']} to {own['rank_high']} of {ranked}, AUP {own['aup']:.4f}, by its own claims."


def _short(text: str) -> str:
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS].rsplit("\n", 1)[0] + "\n\nThe rest is left out.\n"

"""One call of `gymboard rank`: what was asked -> what is printed.

Takes a Request, checks it against what there is, prints through scoring.terminal or scoring.answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from harness.errors import UsageError
from scoring import answers
from scoring.boards import Ranking
from scoring.build import Built, Only, build
from scoring.ledger import Level
from scoring.rejections import print_rejections
from scoring.vocabulary import Column, Reading
from scoring.yardstick import Season, load_season


@dataclass(frozen=True)
class Request:
    """The options of `gymboard rank`, as they were given."""

    submissions: Path
    reading: Reading
    score: Column
    output: str
    season: str | None
    level: str | None
    tasks: str | None
    with_: Path | None
    explain: str | None
    at_least: float | None
    limit: int


def answer(request: Request) -> bool:
    """Print it; False when an entry was rejected. Raises UsageError on a folder, entry or combination that is not."""
    with _build(request) as built:
        _print(built, _wanted(built, request), request)
        rejections = [one for one in built.facts.rejections if not _is_preview(request, one[0])]
        print_rejections(rejections)
        return not rejections


def _is_preview(request: Request, folder: str) -> bool:
    """An entry that is previewed may lie among the others already: that the ledger does not include it is its point."""
    return request.with_ is not None and (request.submissions / folder).resolve() == request.with_.resolve()


def _print(built: Built, rankings: Sequence[Ranking], request: Request) -> None:
    if request.output == "json":
        print(answers.as_json(built, rankings, request.score, request.explain))
        return
    if request.output == "csv":
        print(answers.as_csv(built, rankings, request.score, request.explain), end="")
        return
    from scoring import terminal

    if request.with_ is not None:
        terminal.print_declared(request.with_)
    if request.explain is not None:
        terminal.print_explained(built, rankings, request.score, request.explain)
    else:
        terminal.print_rankings(built, rankings, request.score, limit=request.limit, at_least=request.at_least)


def _build(request: Request) -> Built:
    if not request.submissions.is_dir():
        where = f"no folder {request.submissions}"
        raise UsageError(f"{where}; run in a checkout of the board or name one with --submissions")
    if request.at_least is not None and not math.isfinite(request.at_least):
        raise UsageError(f"--at-least {request.at_least:g} is no AUP; give a number such as 1.0")
    if request.with_ is not None and request.reading == "mlgym-compat":
        raise UsageError("a preview has no mlgym-compat reading; use --reading live to stand beside published results")
    return build(
        request.submissions,
        season=_season(request.season),
        readings=[request.reading],
        previews=() if request.with_ is None else (request.with_,),
        only=Only(_tasks(request.tasks), _level(request.level), (request.score,)),
    )


def _season(named: str | None) -> Season:
    if named is not None and named.endswith(".toml"):
        file = Path(named)
        if not file.is_file():
            raise UsageError(f"no season file {file}")
        try:
            return Season.from_toml(file.read_text(encoding="utf-8"), subject=str(file))
        except UnicodeDecodeError as error:
            raise UsageError(f"{file} is not UTF-8: {error}") from None
    return load_season(named)


def _tasks(named: str | None) -> frozenset[str] | None:
    if named is None:
        return None
    tasks = frozenset(filter(None, (task.strip() for task in named.split(","))))
    if not tasks:
        raise UsageError("--tasks names no task; give ids by commas, such as house-price,colonel-blotto")
    return tasks


def _level(named: str | None) -> Level | None:
    known: tuple[Level, ...] = get_args(Level)
    found = next((level for level in known if level == named), None)
    if named is not None and found is None:
        raise UsageError(f"no level {named!r}; the levels are {', '.join(known)}")
    return found


def _wanted(built: Built, request: Request) -> list[Ranking]:
    rankings = [r for r in (*built.rankings, *built.previews) if r.plan.reading == request.reading]
    if request.with_ is not None and not any(ranking.plan.preview for ranking in rankings):
        raise UsageError("the run has no task in common with the published results; try --reading season")
    if request.explain is None:
        return rankings
    having = [ranking for ranking in rankings if request.explain in _names(ranking)]
    if having:
        return having
    known = sorted({name for ranking in rankings for name in _names(ranking)})
    near = get_close_matches(request.explain, known, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    raise UsageError(f"no entry {request.explain!r} under this reading; there are: {listed}.{hint}")


def _names(ranking: Ranking) -> set[str]:
    return set(ranking.table("board")["entry"].to_list())

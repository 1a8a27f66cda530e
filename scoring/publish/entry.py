"""The slots of one entry's page.

Takes the row, the board whose figures the page shows, its bundle and its lines of the ledger; gives markup by slot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup

from harness.by_hand import by_hand
from harness.schema.bundle import Bundle
from harness.schema.declares import declared
from harness.schema.episode import Episode
from harness.signing import BUNDLE
from scoring.leaderboard import Board, Cell, Flag, Row, Score
from scoring.ledger import LedgerLine
from scoring.load import Loaded
from scoring.publish.audit import audit_findings
from scoring.publish.cells import closeness
from scoring.publish.episodes import KINDS, Happened, by_kind, deciles, gap, happened
from scoring.publish.evidence import PUBLIC
from scoring.publish.formats import number, visible
from scoring.publish.mix import bands
from scoring.publish.templates import page_name, render
from scoring.publish.texts import Texts

BODY = ("entry_tasks", "entry_conduct", "entry_episodes", "entry_provenance")
BESIDE = "../submissions"
"""The folder of entries as a page sees it that lies beside a copy."""
_SUFFIX = ".tar.zst"


class Shown(NamedTuple):
    """A row that has a page, and the board whose figures the page shows."""

    board: Board
    row: Row


class Part(NamedTuple):
    """Where the full text of a task's episodes lies: an https address, or one beside the page. None: not known. `task`
    is None where the page lists no episode of it."""

    task: str | None
    url: str | None


def body_slots(
    env: jinja2.Environment,
    shown: Shown,
    loaded: Loaded | None,
    ledger: Sequence[LedgerLine],
    known: set[str],
    flags: Sequence[Flag],
    texts: Texts,
    place: str,
    base: Row | None,
) -> dict[str, str]:
    """What depends on the entry alone and on what its board is measured against: HTML and the policy's hosts. `base`:
    the baseline's row; `known`: tasks that have a page; `ledger`, `flags`: the entry's own;
    `place`: the address of the folder of entries, or its path beside the pages."""
    row, bundle = shown.row, loaded.bundle if loaded else None
    context: dict[str, Any] = {"board": shown.board, "row": row, "bundle": bundle, "known": known}
    context |= _conduct(row) | _evidence(row, ledger)
    context |= {"cells": _cells(shown, base, bundle), "findings": audit_findings([row])}
    context |= {"flags": flags, "titles": {task.id: task.title for task in shown.board.tasks}}
    context["declares"] = declared(bundle.declares) if bundle else []
    context["bundle_sha256"] = loaded.sha256 if loaded else ""
    context |= _steps(shown, bundle, texts, place)
    context["by_hand"] = _by_hand(row, loaded, ledger, place)
    context["record"] = (
        f"{PUBLIC}/{row.id}/{BUNDLE}" if place == PUBLIC and row.kind == "entry" and context["parts"] else ""
    )
    urls = [urlsplit(url) for url in (context["record"], *(part.url for part in context["parts"].values())) if url]
    hosts = sorted({f" https://{url.netloc}" for url in urls if url.netloc})
    context["parts_at"] = _common(bundle, context["parts"])
    slots = {part.replace("_", "-"): _written(render(env, f"{part}.html", **context)) for part in BODY}
    return {**slots, "entry-hosts": "".join(hosts)}


def _written(markup: Markup) -> str:
    """Nothing of ours stands between apostrophes, so that they need no escape; and no line has to end at a tag."""
    return str(markup).replace("&#39;", "'").replace("\n<", "<")


def head_slots(env: jinja2.Environment, shown: Shown) -> dict[str, str]:
    """The slots that depend on where the entry stands, and so on everybody else."""
    row, standing = shown.row, shown.row.standings.get(shown.board.default_column)
    head = Markup(_written(render(env, "entry_head.html", board=shown.board, row=row, standing=standing)))  # noqa: S704
    title = visible(row.label)
    aup = f"AUP {number(standing.aup)}" if standing else "partial" if row.partial else "not regraded yet"
    description = f"{title} on Gymboard: {aup}, level {row.level or 'none'}"
    about = {"entry-title": title, "entry-description": description, "entry-page": page_name(row)}
    return {"entry-head": head, **about}


def _cells(shown: Shown, base: Row | None, bundle: Bundle | None) -> list[tuple[Any, ...]]:
    tasks, own = shown.board.tasks, defaultdict[str, list[Episode]](list)
    for episode in bundle.episodes if bundle else ():
        own[episode.task].append(episode)
    bases = [cell.last for cell in base.cells] if base else [None] * len(tasks)
    return [
        (task, cell, _drawn(shown.board, at, cell), gap(own[cell.task], cell))
        for task, cell, at in zip(tasks, shown.row.cells, bases, strict=True)
    ]


def _drawn(board: Board, base: Score | None, cell: Cell) -> str:
    """A dumbbell's places in its style sheet's words, thousandths of the way; the best attempt's where it is another
    than the submission's."""
    found = {
        "f": closeness(board, base) if base else None,
        "t": closeness(board, cell.last),
        "b": closeness(board, cell.best),
    }
    if found["b"] == found["t"]:
        del found["b"]
    return ";".join(f"--{name}:{_short(at / 100)}" for name, at in found.items() if at is not None)


def _short(share: float) -> str:
    return f"{share:.3f}".rstrip("0").rstrip(".").removeprefix("0") or "0"


def _conduct(row: Row) -> dict[str, Any]:
    exits, actions = _by_count(row.exits), _by_count(row.actions)
    return {
        "exits": exits,
        "exits_top": max((many for _, many in exits), default=1) or 1,
        "actions": actions,
        "actions_top": max((many for _, many in actions), default=1) or 1,
    }


def _steps(shown: Shown, bundle: Bundle | None, texts: Texts, place: str) -> dict[str, Any]:
    row, order = shown.row, {task.id: number for number, task in enumerate(shown.board.tasks)}
    found = happened(bundle.episodes, {cell.task: cell for cell in row.cells}) if bundle else []
    found.sort(key=lambda one: order.get(one.task, len(order)))
    traces = [episode.trace for episode in bundle.episodes] if bundle else []
    mix, parts = deciles(traces), _parts(row, bundle, texts, place) if bundle else {}
    return {
        "episodes": [(task, list(group)) for task, group in groupby(found, key=_task)],
        "wrong": by_kind(found),
        "linked": {fault.link for one in found for fault in one.faults},
        "mix": bands(mix.groups) if mix else (),
        "kinds": KINDS,
        "letters": set().union(*map(set, filter(None, traces))),
        "parts": parts,
        "local": texts.local,
        "times": texts.times,
        "text": bool(parts or texts.local),
    }


def _task(one: Happened) -> str:
    return one.task


def _parts(row: Row, bundle: Bundle, texts: Texts, place: str) -> dict[str, Part]:
    """By task. A preview's parts are nowhere but on this machine. A page asks its own site by a path."""
    tasks = {episode.task for episode in bundle.episodes}
    beside = place if place == PUBLIC else BESIDE
    return {
        (name := part.name.removesuffix(_SUFFIX)): Part(
            name if name in tasks else None,
            part.location or (f"{beside}/{row.id}/{part.name}" if part.name in texts.beside else None),
        )
        for part in bundle.payload
        if part.name.endswith(_SUFFIX)
    }


def _common(bundle: Bundle | None, parts: Mapping[str, Part]) -> str:
    """What the addresses of all parts begin with, where only a part's own name follows; else empty."""
    names = [part.name for part in bundle.payload] if bundle else []
    found = {
        (parts[name.removesuffix(_SUFFIX)].url or "").removesuffix(name) if name.endswith(_SUFFIX) else ""
        for name in names
    }
    at = found.pop() if len(found) == 1 and len(names) > 1 else ""
    return at if at.endswith("/") and all(part.task for part in parts.values()) else ""


def removed_slots(env: jinja2.Environment, line: LedgerLine) -> dict[str, str]:
    """The page of an entry that the ledger removed: its name, the reason and nothing else. `line`: the removal."""
    head = render(env, "entry_removed.html", line=line)
    nothing = Markup("<p>Nothing is shown: the entry was removed.</p>")
    slots: dict[str, str] = {part.replace("_", "-"): nothing for part in BODY}
    entry = str(line.entry)
    description = f"{entry} was removed from Gymboard"
    about = {"entry-title": entry, "entry-description": description, "entry-page": entry}
    return {**slots, "entry-head": head, "entry-hosts": "", **about}


def _by_hand(row: Row, loaded: Loaded | None, ledger: Sequence[LedgerLine], place: str) -> Sequence[str]:
    """The lines that check the signature: from where the entries are public, or from a folder when nobody knows where
    that is or the row is private."""
    if loaded is None or loaded.public_key is None or loaded.bundle.origin != "run":
        return ()
    place = place if row.kind == "entry" else ".."
    copies = [str(line.evidence) for line in ledger if (line.kind, line.bundle_sha256) == ("mirror", loaded.sha256)]
    return by_hand(loaded.bundle, loaded.sha256, loaded.public_key, f"{place}/{row.id}", copies[-1] if copies else "")


def _by_count(counts: Mapping[Any, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _evidence(row: Row, ledger: Sequence[LedgerLine]) -> dict[str, Any]:
    lines = [line for line in ledger if line.entry == row.id and row.kind == "entry"]
    keys = [line.key_fingerprint for line in lines if line.kind == "inclusion" and line.key_fingerprint]
    lines += [line for line in ledger if line.kind == "revocation" and line.key_fingerprint in keys]
    return {"ledger": lines, "key_fingerprint": keys[-1] if keys else None}

"""Pages that a worker makes are those made here, byte by byte; a worker that dies costs nothing but time."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from harness.schema.task import load_tasks
from scoring.build import build, leaderboard
from scoring.facts import pool
from scoring.load import Bundles
from scoring.publish import bodies
from scoring.publish.bodies import New, beside
from scoring.publish.build import TEMPLATES, site_sources
from scoring.publish.content import Content
from scoring.publish.templates import environment, page_name
from scoring.publish.texts import Texts
from scoring.publish.worker import LENGTH
from scoring.yardstick import Season
from tests.benchmarks.synthetic import write_board, write_season

TEMPLATE_FOLDER = site_sources() / TEMPLATES


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Content, list[New], Path]]:
    work = tmp_path_factory.mktemp("bodies")
    yield *board(work, 9), work


def board(work: Path, entries: int) -> tuple[Content, list[New]]:
    """A board of so many entries and one import, and the pages that it needs."""
    write_board(work / "submissions", entries, 7, published=1, broken=1)
    write_season(work / "season.toml")
    season = Season.from_toml((work / "season.toml").read_text(encoding="utf-8"))
    with build(work / "submissions", season=season) as built:
        records, counts = leaderboard(built), built.facts.bundles()
    bundles = Bundles(work / "submissions", counts=counts)
    assert counts.keys() == {page_name(row) for board in records.boards for row in board.rows if row.kind == "entry"}
    found = Content(records, load_tasks(), bundles, environment(TEMPLATE_FOLDER))
    return found, [
        New(found.body_key(shown, str(bundles.digest(page_name(shown.row))), "m"), shown) for shown in found.entries()
    ]


def here(content: Content, one: New) -> str:
    """From the whole record, which a worker does not read."""
    assert isinstance(content.loaded, Bundles)
    whole = Bundles(content.loaded.folder)[page_name(one.shown.row)]
    return json.dumps(content.body(one.shown, Texts(), whole))


@pytest.fixture(autouse=True)
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SHARE", 2)
    monkeypatch.setattr(bodies, "cores", lambda: 3)


def met(made: bodies.Bodies) -> dict[bytes, str | None]:
    """Every page, with what a worker has made of it."""
    found = [(one.key, body and zstandard.decompress(body).decode()) for one, body in made.pages()]
    assert len(dict(found)) == len(found), "each is to be had once"
    return dict(found)


def test_workers_make_the_very_same_and_only_what_they_have_not_made_is_left(
    content: tuple[Content, list[New], Path],
) -> None:
    about, new, work = content
    assert {one.shown.board.id for one in new} == {"season", "published"}
    with beside(new, about, TEMPLATE_FOLDER, work / "submissions", work) as made:
        until(lambda: whole(work) == len(new))
        given = met(made)
    assert given == {one.key: here(about, one) for one in new}


def test_another_entry_changes_no_body_but_its_own(content: tuple[Content, list[New], Path], tmp_path: Path) -> None:
    """Ranks and counts of the board move with it; they stand in heads, and on the board's own pages."""
    about, before, _ = content
    later, after = board(tmp_path, 10)
    was, now = (
        {page_name(one.shown.row): (made_of, one) for one in pages if one.shown.board.id == "season"}
        for made_of, pages in ((about, before), (later, after))
    )
    assert len(now) == len(was) + 1
    moved = {name for name, (_, one) in was.items() if one.shown.row.standings != now[name][1].shown.row.standings}
    assert moved, "the new entry has a rank among the others"
    for name, (made_of, one) in was.items():
        assert (one.key, here(made_of, one)) == (now[name][1].key, here(*now[name]))


def whole(work: Path) -> int:
    """Bodies that the two workers have written to their ends."""
    return sum(_bodies(work / f"bodies-{number}.packed") for number in range(2))


def _bodies(file: Path) -> int:
    data, many = file.read_bytes(), 0
    while len(data) >= LENGTH and len(data) >= LENGTH + (size := int.from_bytes(data[:LENGTH], "big")):
        data, many = data[LENGTH + size :], many + 1
    return many


def until(done: Callable[[], bool]) -> None:
    for _ in range(1200):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("the workers did not make their pages in a minute")


def test_what_is_needed_at_once_is_made_here_from_the_last_page_on(content: tuple[Content, list[New], Path]) -> None:
    about, new, work = content
    with beside(new, about, TEMPLATE_FOLDER, work / "submissions", work) as made:
        pages = made.pages()
        shares = [new[0::2], new[1::2]]
        assert next(pages) == (max(shares, key=len)[-1], None)
        rest = [one.key for one, _ in pages]
    assert sorted(rest) == sorted({one.key for one in new} - {max(shares, key=len)[-1].key})


def test_what_a_killed_worker_had_not_made_is_left_to_others(
    content: tuple[Content, list[New], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    about, new, work = content
    start = pool.start

    def killed(*words: str, **more: Any) -> subprocess.Popen[bytes]:
        worker = start(*words, **more)
        worker.kill()
        worker.wait()
        return worker

    monkeypatch.setattr(bodies, "start", killed)
    with beside(new, about, TEMPLATE_FOLDER, work / "submissions", work) as made:
        assert met(made) == {one.key: None for one in new}


def test_few_pages_are_worth_no_process(
    content: tuple[Content, list[New], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    about, new, work = content
    monkeypatch.setattr(bodies, "SHARE", len(new) + 1)
    monkeypatch.setattr(bodies, "start", None)
    with beside(new, about, TEMPLATE_FOLDER, work / "submissions", work) as made:
        assert met(made) == {one.key: None for one in new}

"""Pages that a worker makes are those made here, byte by byte; a worker that dies costs nothing but time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.schema.task import load_tasks
from scoring.build import build_leaderboard
from scoring.facts import pool
from scoring.load import Bundles
from scoring.publish import bodies
from scoring.publish.bodies import New, beside
from scoring.publish.build import TEMPLATES, site_sources
from scoring.publish.content import Content
from scoring.publish.templates import environment, page_name
from scoring.publish.texts import Texts
from scoring.yardstick import Season
from tests.benchmarks.synthetic import write_board, write_season

TEMPLATE_FOLDER = site_sources() / TEMPLATES


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Content, list[New], Path]]:
    work = tmp_path_factory.mktemp("bodies")
    write_board(work / "submissions", 9, 7, published=1, broken=1)
    write_season(work / "season.toml")
    season = Season.from_toml((work / "season.toml").read_text(encoding="utf-8"))
    entries = Bundles(work / "submissions")
    records = build_leaderboard(work / "submissions", season)
    found = Content(records, load_tasks(), entries, environment(TEMPLATE_FOLDER))
    new = [
        New(found.body_key(shown, str(entries.digest(page_name(shown.row))), "m"), shown) for shown in found.entries()
    ]
    yield found, new, work


def here(content: Content, one: New) -> str:
    return json.dumps(content.body(one.shown, Texts(), content.loaded[page_name(one.shown.row)]))


@pytest.fixture(autouse=True)
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SHARE", 2)
    monkeypatch.setattr(bodies, "cores", lambda: 3)


def test_two_workers_make_two_thirds_and_the_very_same(content: tuple[Content, list[New], Path]) -> None:
    about, new, work = content
    assert {one.shown.board.id for one in new} == {"season", "published"}
    with beside(new, about, TEMPLATE_FOLDER, work / "submissions", work) as made:
        given = [made.give(one.key) for one in new]
    assert [body is None for body in given] == [place % 3 == 0 for place in range(len(new))]
    assert all(body == here(about, one) for body, one in zip(given, new, strict=True) if body is not None)


def test_what_a_killed_worker_had_not_made_is_left_to_others(
    content: tuple[Content, list[New], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    about, new, work = content
    start = pool.start

    def killed(*words: str, **more: Any) -> subprocess.Popen[bytes]:
        worker = start(*words, **more)
        worker.kill()
        return worker

    monkeypatch.setattr(bodies, "start", killed)
    with beside(new, about, TEMPLATE_FOLDER, work / "submissions", work) as made:
        assert [made.give(one.key) for one in new] == [None] * len(new)


def test_few_pages_are_worth_no_process(
    content: tuple[Content, list[New], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    about, new, work = content
    monkeypatch.setattr(bodies, "SHARE", len(new) + 1)
    monkeypatch.setattr(bodies, "start", None)
    with beside(new, about, TEMPLATE_FOLDER, work / "submissions", work) as made:
        assert made.give(new[0].key) is None

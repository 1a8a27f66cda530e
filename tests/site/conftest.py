"""Sites that the tests look at: one of the committed entries, one of invented and hostile ones, each built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.schema.task import load_tasks
from scoring.publish.build import build_site
from scoring.publish.preview import build_from
from tests.site.browser import chromium
from tests.site.fixture import leaderboard, loaded, no_tables
from tests.site.long import long_leaderboard

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SUBMISSIONS = Path(__file__).resolve().parents[2] / "submissions"


@pytest.fixture(scope="session")
def committed_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_from(SUBMISSIONS, tmp_path_factory.mktemp("committed") / "site", None).parent


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile") / "site"
    return build_site(leaderboard(preview=True), load_tasks(), out, tables=no_tables, loaded=loaded()).parent


@pytest.fixture(scope="session")
def long_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("long") / "site"
    return build_site(long_leaderboard(), load_tasks(), out, tables=no_tables).parent


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened

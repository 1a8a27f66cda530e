"""Sites that the tests look at: one of the committed entries, one of invented and hostile ones, each built once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.schema.task import load_tasks
from scoring.publish.build import build_site
from scoring.publish.preview import build_from
from scoring.publish.texts import StepFiles
from tests.conftest import lacking
from tests.once import made_once
from tests.site import gates as tools
from tests.site.browser import chromium, served
from tests.site.fixture import leaderboard, loaded, no_tables, write_local
from tests.site.long import ENTRIES, LEADING, long_leaderboard
from tests.site.pages import ADDRESS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SUBMISSIONS = Path(__file__).resolve().parents[2] / "submissions"


@contextmanager
def addressed() -> Iterator[None]:
    """A site that is built here knows where it will lie, as the published one does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GYMBOARD_SITE_URL", ADDRESS)
        yield


@pytest.fixture(scope="session")
def committed_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(work: Path) -> None:
        with addressed():
            build_from(SUBMISSIONS, work / "site", None)

    return made_once(tmp_path_factory, "committed", make) / "site"


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(work: Path) -> None:
        work.mkdir()
        steps = StepFiles(local=write_local(work / "mine"))
        records = leaderboard(preview=True)
        with addressed():
            build_site(records, load_tasks(), work / "site", tables=no_tables, loaded=loaded(), steps=steps)

    return made_once(tmp_path_factory, "hostile", make) / "site"


@pytest.fixture(scope="session")
def long_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(work: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:  # its rows lie in two files, as those of 2,001 do
            patch.setattr("scoring.publish.table.WHOLE", ENTRIES)
            patch.setattr("scoring.publish.rows.LEADING", LEADING)
            build_site(long_leaderboard(), load_tasks(), work / "site", tables=no_tables)

    return made_once(tmp_path_factory, "long", make) / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not longer than a file: while one is open, its event loop is this thread's, whatever test comes next."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def committed(committed_site: Path) -> Iterator[str]:
    with served(committed_site) as address:
        yield address


@pytest.fixture(scope="session")
def hostile(hostile_site: Path) -> Iterator[str]:
    with served(hostile_site) as address:
        yield address


@pytest.fixture(scope="session")
def gates() -> None:
    """axe-core and html-validate are here."""
    try:
        tools.modules()
    except tools.Missing as error:
        lacking("browser", str(error))


@pytest.fixture(scope="session")
def axe(gates: None) -> str:
    return tools.axe()

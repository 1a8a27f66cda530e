"""Sites that the tests look at: one of the committed entries, one of invented and hostile ones, each built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.schema.task import load_tasks
from scoring.publish.build import build_site
from scoring.publish.preview import build_from
from scoring.publish.texts import StepFiles
from tests.conftest import lacking
from tests.site import gates as tools
from tests.site.browser import chromium, served
from tests.site.fixture import leaderboard, loaded, no_tables, write_local
from tests.site.long import long_leaderboard
from tests.site.pages import ADDRESS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SUBMISSIONS = Path(__file__).resolve().parents[2] / "submissions"


@pytest.fixture(scope="session")
def addressed() -> Iterator[None]:
    """The sites of these tests know where they will lie, as the published one does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GYMBOARD_SITE_URL", ADDRESS)
        yield


@pytest.fixture(scope="session")
def committed_site(tmp_path_factory: pytest.TempPathFactory, addressed: None) -> Path:
    return build_from(SUBMISSIONS, tmp_path_factory.mktemp("committed") / "site", None).parent


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory, addressed: None) -> Path:
    work = tmp_path_factory.mktemp("hostile")
    steps = StepFiles(local=write_local(work / "mine"))
    records = leaderboard(preview=True)
    return build_site(records, load_tasks(), work / "site", tables=no_tables, loaded=loaded(), steps=steps).parent


@pytest.fixture(scope="session")
def long_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("long") / "site"
    return build_site(long_leaderboard(), load_tasks(), out, tables=no_tables).parent


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
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

"""A whole build: what is linked is there, nothing is foreign, and the same input gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ProblemsError, UsageError
from harness.schema.task import load_tasks
from scoring.leaderboard import Leaderboard
from scoring.publish.build import build_site, checked
from scoring.publish.links import check_site
from tests.site.fixture import leaderboard, no_tables

ROOT = Path(__file__).resolve().parents[2]


def test_every_link_of_the_committed_site_resolves_and_nothing_is_foreign(committed_site: Path) -> None:
    assert check_site(committed_site) == []


def test_every_link_of_the_hostile_site_resolves_and_nothing_is_foreign(hostile_site: Path) -> None:
    assert check_site(hostile_site) == []


def test_what_an_entry_and_a_task_have_a_page_for(committed_site: Path) -> None:
    entries = {path.stem for path in (committed_site / "entries").glob("*.html")}
    assert entries == {path.name for path in (ROOT / "submissions").iterdir() if (path / "bundle.json").is_file()}
    tasks = {path.stem for path in (committed_site / "tasks").glob("*.html")}
    assert tasks == {"index", *load_tasks()}
    for page in ("published", "protocol", "rules-codes", "methodology", "decisions/index"):
        assert (committed_site / f"{page}.html").is_file()
    assert "0000-template" not in (committed_site / "decisions/index.html").read_text(encoding="utf-8")


def test_no_slot_is_left_in_any_page(committed_site: Path) -> None:
    for page in committed_site.rglob("*.html"):
        assert "--slot" not in page.read_text(encoding="utf-8"), page.name


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<a href="gone.html">x</a>', "broken link"),
        ('<a href="other.html#gone">x</a>', "broken anchor"),
        ('<a href="../outside.html">x</a>', "broken link"),
        ('<script src="https://cdn.example/x.js"></script>', "asks another origin"),
        ('<link rel="stylesheet" href="//fonts.example/x.css">', "asks another origin"),
        ('<img srcset="https://img.example/x.png 2x" src="">', "asks another origin"),
        ('<div style="background:url(https://img.example/x.png)"></div>', "asks another origin"),
        ("<style>@import 'https://fonts.example/x.css';</style>", "asks another origin"),
        ('<svg><image href="https://img.example/x.png"/></svg>', "asks another origin"),
    ],
)
def test_the_check_finds_a_planted_fault(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "index.html").write_text(text, encoding="utf-8")
    (tmp_path / "other.html").write_text("<p id='here'>x</p>", encoding="utf-8")
    (problem,) = check_site(tmp_path)
    assert fault in problem.message
    with pytest.raises(ProblemsError):
        checked(tmp_path)


@pytest.mark.parametrize("text", ["@import url(https://x.example/a.css);", "a{src:url('//x.example/a.woff')}"])
def test_the_check_reads_style_sheets(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.css").write_text(text, encoding="utf-8")
    assert len(check_site(tmp_path)) == 1


def test_the_check_reads_own_scripts(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "gymboard.js").write_text('fetch("https://x.example/a")', encoding="utf-8")
    assert "asks another origin" in check_site(tmp_path)[0].message


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


HERE = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC"}
ELSEWHERE = {
    "PYTHONHASHSEED": "4242",
    "LC_ALL": "POSIX",
    "LANG": "tr_TR.UTF-8",
    "TZ": "Pacific/Auckland",
    "PYTHONPATH": str(Path(__file__).with_name("elsewhere")),
    "SHUFFLE": "another order of files, one core",
    "POLARS_MAX_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


def _built(out: Path, settings: dict[str, str]) -> dict[str, str]:
    """The digests of a build that begins with nothing but what an earlier one to this place has kept."""
    usual = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    own = {"GYMBOARD_HOME": f"{out}-home", "GYMBOARD_SITE_URL": "https://x.example/", "TMPDIR": str(out.parent)}
    subprocess.run(
        [sys.executable, "gymboard.py", "site", "build", "--out", str(out)],
        env=usual | own | settings,
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    digests = _digests(out)
    assert digests.pop("data/gymboard.duckdb"), "DuckDB writes a random id into its files"
    return digests


def test_two_builds_are_byte_identical_wherever_they_are_made(tmp_path: Path) -> None:
    """Another hash seed, locale, time zone, order of files in a folder, number of threads and clock."""
    here = _built(tmp_path / "a", HERE)
    assert _built(tmp_path / "b", ELSEWHERE) == here
    assert {"sitemap.xml.gz", "data/attempts.parquet"} <= set(here)
    page = tmp_path / "a" / "entries" / "gpt-4o-mlgym.html"
    before = page.stat().st_ino
    assert _built(tmp_path / "a", HERE) == here, "where it stood before, and nothing has changed"
    assert page.stat().st_ino == before, "the very file"
    page.write_text("changed by hand", encoding="utf-8")
    assert _built(tmp_path / "a", HERE) == here, "what somebody changed there is made again"
    sitemap = (tmp_path / "a" / "sitemap.xml").read_text(encoding="utf-8")
    assert "https://x.example/entries/gpt-4o-mlgym.html" in sitemap
    assert "slot" not in sitemap


@pytest.mark.parametrize("name", ["notes.txt", ".git"])
def test_a_folder_that_is_not_ours_is_never_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="not a site that was built here"):
        build_site(leaderboard(), load_tasks(), tmp_path, tables=no_tables)
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"


def test_a_failed_build_leaves_the_former_site_alone(tmp_path: Path) -> None:
    out = tmp_path / "site"
    build_site(leaderboard(), load_tasks(), out, tables=no_tables)
    before = _digests(out)
    with pytest.raises(FileNotFoundError):
        build_site(leaderboard(), load_tasks(), out, tables=no_tables, tasks_folder=tmp_path / "gone")
    assert _digests(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_board_without_any_entry_still_builds(tmp_path: Path) -> None:
    empty = Leaderboard(data_sha256="0" * 64, data_date="2026-11-01", boards=())
    page = build_site(empty, load_tasks(), tmp_path / "site", tables=no_tables)
    assert "No entry and no published result" in page.read_text(encoding="utf-8")
    assert check_site(tmp_path / "site") == []

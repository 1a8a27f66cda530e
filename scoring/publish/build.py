"""Build: a Leaderboard, the tasks and site/ become a folder of static files.

mkdocs builds a few dozen real pages from a copy of site/docs with the generated pages beside; then every slot is
stamped, and one page an entry is stamped from the built shell. Two builds of the same input are byte-identical.
Never writes into site/ or tasks/, and replaces `out` only when the whole build has succeeded.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from harness.errors import ProblemsError, UsageError
from harness.schema.task import TaskSpec, tasks_root
from scoring.conduct import Conduct
from scoring.export import DATABASE
from scoring.facts.read import default_cache
from scoring.garbage import set_aside
from scoring.leaderboard import Board, Leaderboard, Row
from scoring.load import Loaded
from scoring.publish.announce import announce, begin_cards
from scoring.publish.content import Content
from scoring.publish.downloads import DOWNLOADS, write_downloads
from scoring.publish.engine import running
from scoring.publish.entries import EntryPages
from scoring.publish.evidence import PUBLIC, public
from scoring.publish.explore import begin_vega, write_charts
from scoring.publish.figures import begin_figures
from scoring.publish.former import Former
from scoring.publish.generated import generate
from scoring.publish.kept import Kept, key, makers, opened
from scoring.publish.ledger_pages import write_ledger
from scoring.publish.links import check_site
from scoring.publish.pages import write_pages
from scoring.publish.rows import write_rows
from scoring.publish.said import stands
from scoring.publish.scores import write_scores
from scoring.publish.shelf import shelved
from scoring.publish.stamp import read_shell
from scoring.publish.templates import environment
from scoring.publish.texts import StepFiles
from scoring.tables import shapes
from scoring.vocabulary import BoardId

TEMPLATES = Path("site/templates")
SHELF = "tables"
"""Where the files under data/ are kept, in the user's cache."""
_MARKER = ".gymboard-site"


def site_sources() -> Path:
    """The checkout that holds mkdocs.yml and site/. Raises UsageError when installed without one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "mkdocs.yml").is_file():
        raise UsageError(
            "the site is built from a checkout: mkdocs.yml and site/ are not part of the installed package"
        )
    return root


def build_site(
    leaderboard: Leaderboard,
    tasks: Mapping[str, TaskSpec],
    out: Path,
    *,
    tables: Callable[[Path], object],
    loaded: Mapping[str, Loaded] | None = None,
    evidence: Callable[[Iterable[str], Path], object] | None = None,
    place: str = "",
    tasks_folder: Path | None = None,
    sources: Path | None = None,
    steps: StepFiles | None = None,
    conduct: Mapping[BoardId, Conduct] | None = None,
    made_of: bytes | None = None,
    let_go: Callable[[], object] = lambda: None,
) -> Path:
    """Write the site to `out`, give the path of its home page.

    `loaded`: page name -> bundle and digest, for provenance and episodes on entry pages; a preview's page name is
    `<id>.preview`. `tables` writes the tables as files into the folder that it is given; `evidence` the signed files of
    the named entries: of none where `place`, the public address of the folder of entries, is known. `steps`: where the
    text of episodes is looked for. `conduct`: counts for the page of failures. `made_of`: digest of everything that the
    leaderboard and the tables were made of; with it the files under data/ are kept for later builds. `let_go` is called
    once the tables are there.
    A preview is shown when `leaderboard.previews` holds one; such a build is for the own machine.
    Raises UsageError when `out` holds something that is not a built site.
    """
    root = sources or site_sources()
    _refuse_strangers(out)
    place, env = public(place), environment(root / TEMPLATES)
    content = Content(leaderboard, tasks, loaded or {}, env, place=place and PUBLIC, conduct=conduct or {})
    out.parent.mkdir(parents=True, exist_ok=True)
    former = Former(out, default_cache())
    workplace = tempfile.TemporaryDirectory(prefix=".gymboard-site-", dir=out.parent)
    with set_aside(), workplace as work, opened() as kept, running():
        docs, built, data = Path(work) / "docs", Path(work) / "built", Path(work) / "data"
        shutil.copytree(root / "site" / "docs", docs)
        write_pages(docs, tasks, tasks_folder or tasks_root())
        pages = EntryPages(content, steps or StepFiles(), kept, makers(root), place, root / TEMPLATES, former)
        with ThreadPoolExecutor(1) as beside, ExitStack() as workers:
            written = beside.submit(_write_data, tables, leaderboard, data, made_of, let_go)
            early = workers.enter_context(pages.begun(Path(work))) if place else None  # else addresses are not known
            vega = _begin_drawings(content)
            content = replace(content, address=_generate(root, docs, built, content, kept, former))
            cards = begin_cards(content)
            _stamp(built, content)
            pages = replace(pages, content=content)
            pages.write(built, early or workers.enter_context(pages.begun(Path(work))))
            write_ledger(built, content.ledger_pages())
            write_charts(content.measured, built / "assets", vega)
            announce(built, content, cards)
            written.result()
        for file in data.iterdir():
            file.replace(built / "data" / file.name)
        if evidence:
            names = (shown.row.id for shown in content.entries() if shown.row.kind == "entry" and not place)
            evidence(names, built / "submissions")
        (built / _MARKER).write_text(f"{leaderboard.data_sha256}\n", encoding="utf-8")
        _replace(out, built)
    former.note()
    return out / "index.html"


def _write_data(
    tables: Callable[[Path], object],
    leaderboard: Leaderboard,
    folder: Path,
    made_of: bytes | None,
    let_go: Callable[[], object],
) -> None:
    def make(folder: Path) -> None:
        tables(folder)
        write_downloads(leaderboard, folder)

    folder.mkdir()
    place = default_cache()
    shelved(place / SHELF if place and made_of else None, made_of or b"", folder, make)
    let_go()


def _begin_drawings(content: Content) -> Callable[[], str]:
    """Those of the pages, and the way to the script that brings them to life."""
    for board in {id(board): board for board in (content.opening, content.published) if board}.values():
        begin_figures(board)
    return begin_vega() if content.measured else str


def _generate(root: Path, docs: Path, built: Path, content: Content, kept: Kept, former: Former) -> str:
    """The real pages with their slots, and the files that the browser reads; gives the site's address.

    mkdocs sees empty files for the downloads: it checks the links to them, and its work does not depend on the data.
    """
    (docs / "data").mkdir(exist_ok=True)
    for name in (*DOWNLOADS, DATABASE, *(f"{table}.parquet" for table in shapes())):
        (docs / "data" / name).touch()
    address = generate(root, docs, built, content.tasks, content.leaderboard.data_date, kept)

    def taken(board: Board, row: Row, name: str) -> bool:
        return former.take(name, key(makers(root), board.id, content.said(row), stands(row)), built)

    write_scores(content.headline, built / "assets", taken)
    write_rows(content.tables(), built / "assets" / "boards")
    return address


def checked(out: Path) -> None:
    """Raise ProblemsError with every broken link and foreign request of the site in `out`."""
    if problems := check_site(out):
        raise ProblemsError(str(out), problems)


def _refuse_strangers(out: Path) -> None:
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / _MARKER).is_file())):
        raise UsageError(f"{out} is not a site that was built here; choose an empty folder, or remove it yourself")


def _replace(out: Path, built: Path) -> None:
    if out.exists():
        out.rename(built.with_name("former"))  # goes with the build folder; the gap without a site is two renames
    built.rename(out)


def _stamp(built: Path, content: Content) -> None:
    pages = {
        "index.html": content.home(),
        "tasks/index.html": content.task_index(),
        "published.html": content.published_page(),
        "failures.html": content.failures_page(),
        "ledger.html": content.ledger(),
        "data.html": content.data(),
        "compare.html": content.compare(),
        "what-if.html": content.what_if(),
        **{f"tasks/{task}.html": content.task(task) for task in content.tasks},
    }
    for name, values in pages.items():
        page = built / name
        shell = read_shell(page.read_text(encoding="utf-8"), dict.fromkeys(values, 1), name)
        page.write_text(shell.stamp(values), encoding="utf-8")

"""Does Material's successor build the same site? `python tests/site/successor.py ZENSICAL`, the path of its command.

Builds the Markdown of the site with mkdocs and with zensical from the same mkdocs.yml, compares which pages there are
and which slots they hold, for the stamping needs both. Exit code 1: something differs, and what.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.schema.task import load_tasks, tasks_root
from scoring.publish.build import site_sources
from scoring.publish.pages import write_pages
from tests.site.pages import ADDRESS

_SLOT = re.compile(r"slot--([a-z-]+)--slot")


def main(zensical: str) -> int:
    program = str(Path(zensical).absolute())
    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        _project(place)
        commands = {"mkdocs": [sys.executable, "-m", "mkdocs", "build", "-q"], "zensical": [program, "build"]}
        found = {name: _built(place, name, command) for name, command in commands.items()}
    before, after = found["mkdocs"], found["zensical"]
    faults = [f"{'not built' if page in before else 'new'}: {page}" for page in sorted(before.keys() ^ after.keys())]
    for page in sorted(before.keys() & after.keys()):
        if before[page] != after[page]:
            faults.append(f"{page}: slots {sorted(before[page])} became {sorted(after[page])}")
    print("\n".join([*faults, f"{len(before)} pages by mkdocs, {len(after)} by zensical, {len(faults)} differences"]))
    return 1 if faults else 0


def _project(place: Path) -> None:
    root = site_sources()
    shutil.copy(root / "mkdocs.yml", place)
    for folder in ("docs", "overrides"):
        shutil.copytree(root / "site" / folder, place / "site" / folder)
    write_pages(place / "site" / "docs", load_tasks(), tasks_root())


def _built(place: Path, name: str, command: list[str]) -> dict[str, set[str]]:
    """Path of a page -> names of the slots that it holds."""
    out = place / "public"
    shutil.rmtree(out, ignore_errors=True)
    env = {**os.environ, "GYMBOARD_SITE_URL": ADDRESS}
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    pages = {page.relative_to(out).as_posix(): page.read_text(encoding="utf-8") for page in out.rglob("*.html")}
    return {path: set(_SLOT.findall(html)) for path, html in pages.items()}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

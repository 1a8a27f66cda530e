"""The real pages, as mkdocs makes them of a folder of Markdown: built, mended and made light, or kept.

Takes the checkout and a folder of Markdown, gives a folder of HTML and the site's address. What mkdocs made of the very
same files, settings and versions is unpacked instead of made again. Never sees an entry: pages have slots for those.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from harness.schema.task import TaskSpec
from scoring.publish.calm import calm
from scoring.publish.generator import run_mkdocs
from scoring.publish.join import join
from scoring.publish.kept import Kept, key, makers, versions
from scoring.publish.policy import protect
from scoring.publish.shrink import shrink

_LIBRARIES = ("mkdocs", "mkdocs-material", "markdown", "pymdown-extensions", "pygments", "jinja2", "tdewolff-minify")
_SETTINGS = ("GYMBOARD_SITE_URL", "SOURCE_DATE_EPOCH")
_ADDRESS = ".address"


def generate(root: Path, docs: Path, built: Path, tasks: Mapping[str, TaskSpec], day: str, kept: Kept) -> str:
    """Fill `built` from `docs`, give the site's address. Raises what run_mkdocs and protect raise."""

    def make() -> bytes:
        address = run_mkdocs(root, docs, built, tasks, day)
        protect(built)
        calm(built)
        join(built)
        shrink(built)
        (built / _ADDRESS).write_text(address, encoding="utf-8")
        return _packed(built)

    data = kept.data(_key(root, docs, tasks, day), make)
    if not built.exists():
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(built)
    address = (built / _ADDRESS).read_text(encoding="utf-8")
    (built / _ADDRESS).unlink()
    return address


def _key(root: Path, docs: Path, tasks: Mapping[str, TaskSpec], day: str) -> bytes:
    """Over every file and setting that a page can depend on."""
    settings = [f"{name}={os.environ.get(name)}" for name in _SETTINGS]
    titles = [f"{task.id} {task.title}" for task in tasks.values()]
    files = [root / "mkdocs.yml", *_files(root / "site" / "overrides"), *_files(docs)]
    bases = {docs: "docs", root: "root"}
    named = [_named(file, bases) for file in files]
    return key(makers(root), versions(_LIBRARIES), day, *settings, *titles, *(part for pair in named for part in pair))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _named(file: Path, bases: Mapping[Path, str]) -> tuple[str, bytes]:
    base = next(base for base in bases if file.is_relative_to(base))
    return f"{bases[base]}/{file.relative_to(base).as_posix()}", file.read_bytes()


def _packed(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for file in _files(folder):
            archive.writestr(file.relative_to(folder).as_posix(), file.read_bytes())
    return out.getvalue()

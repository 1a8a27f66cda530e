"""mkdocs as a function: Markdown in a build folder becomes HTML in another.

Takes the checkout's mkdocs.yml and the folders, adds the generated pages to its navigation. Whatever mkdocs warns of
fails the build. Never writes into site/docs.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import Problem, ProblemsError
from harness.schema.task import TaskSpec


def run_mkdocs(root: Path, docs: Path, built: Path, tasks: Mapping[str, TaskSpec], day: str) -> str:
    """Build `docs` into `built`, give the site's address with a slash at its end, or "" when nobody said it.

    `day`, the date of the data, dates the pages unless SOURCE_DATE_EPOCH is set. Raises ProblemsError with every
    warning of mkdocs.
    """
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    config: Any = load_config(str(root / "mkdocs.yml"), docs_dir=str(docs), site_dir=str(built))
    sections: dict[str, list[Any]] = {
        "Tasks": ["tasks/index.md", *({task.title: f"tasks/{task.id}.md"} for task in tasks.values())],
        "Decisions": ["decisions/index.md", *(f"decisions/{path.name}" for path in decision_records(docs))],
    }
    config.nav = [_filled(item, sections) for item in config.nav]
    with _epoch(day), _no_warnings():
        config.plugins.on_startup(command="build", dirty=False)
        try:
            build(config)
        finally:
            config.plugins.on_shutdown()
    return str(config.site_url or "")


def decision_records(docs: Path) -> list[Path]:
    """The records in order; 0000 is the template, not a record."""
    return [path for path in sorted((docs / "decisions").glob("[0-9]*.md")) if not path.name.startswith("0000")]


def _filled(item: dict[str, Any], sections: Mapping[str, list[Any]]) -> dict[str, Any]:
    (name,) = item
    return {name: sections[name]} if name in sections else item


@contextlib.contextmanager
def _epoch(day: str) -> Iterator[None]:
    before = os.environ.get("SOURCE_DATE_EPOCH")
    if before is None:
        os.environ["SOURCE_DATE_EPOCH"] = str(int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    log, collector = logging.getLogger("mkdocs"), _Collector()
    propagates, log.propagate = log.propagate, False
    log.addHandler(collector)
    try:
        yield
    finally:
        log.removeHandler(collector)
        log.propagate = propagates
    if collector.messages:
        raise ProblemsError("site", [Problem("mkdocs", message) for message in collector.messages])

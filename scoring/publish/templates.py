"""The Jinja environment of everything that is stamped: autoescape on, undefined names are errors.

Takes site/templates, gives an environment. Text that an entry wrote is made visible (no control or direction marks) on
the way out, whatever template prints it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from scoring.leaderboard import Board, Row
from scoring.publish import formats
from scoring.publish.cells import cell_words, noted, outcome, outcome_words
from scoring.publish.dots import dot_strip
from scoring.publish.facets import facets
from scoring.publish.failures import ended
from scoring.publish.flagged import HEADS, flag_said
from scoring.publish.formats import visible
from scoring.publish.ledger_pages import line_address
from scoring.publish.table import CODES, strip_paths, strip_said
from scoring.publish.tops import TOP, shown
from scoring.vocabulary import BASELINE

MAX_COLUMNS = 8


def page_name(row: Row) -> str:
    """File name of the row's page. No entry id holds a dot, so a preview never takes a published page's place."""
    return f"{row.id}.preview" if row.kind == "preview" else row.id


def columns(board: Board) -> list[Row]:
    """The rows that a table of tasks has room for as columns: leaders, baseline; on a preview, that first."""
    leaders = [row for row in board.rows if row.kind == "entry" and row.standings][:MAX_COLUMNS]
    others = sorted((row for row in board.rows if row.kind != "entry"), key=lambda row: row.kind == BASELINE)
    return [*others, *leaders] if board.preview else [*leaders, *others]


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _text(value: str) -> Markup:
    """What stands between tags, never in an attribute: its quotation marks need no escape there."""
    return Markup(str(escape(visible(value))).replace("&#34;", '"'))  # noqa: S704 - the escape above


def _apart(value: str) -> Markup:
    """What an entry wrote, between tags: in a <bdi> unless it is ASCII, which always runs one way."""
    return Markup("{}" if value.isascii() else "<bdi>{}</bdi>").format(visible(value))  # noqa: S704 - `format` escapes


def environment(folder: Path) -> jinja2.Environment:
    """Templates of `folder` with the site's filters and words."""
    env = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        loader=jinja2.FileSystemLoader(folder),
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        number=formats.number,
        usd=formats.usd,
        signed=formats.signed,
        duration=formats.duration,
        count=formats.count,
        exit_words=formats.exit_words,
        slug_words=formats.slug_words,
        reading=lambda name: formats.READINGS[name],
        page_name=page_name,
        text=_text,
        apart=_apart,
        thousands=lambda value: f"{value:,}",
        columns=columns,
    )
    env.globals.update(
        ranks=formats.ranks,
        line_address=line_address,
        levels=formats.LEVELS,
        outcome=outcome,
        codes=CODES,
        flag_heads=HEADS,
        flag_said=flag_said,
        cell_words=cell_words,
        outcome_words=outcome_words,
        strip_paths=strip_paths,
        strip_said=strip_said,
        facets=facets,
        noted=noted,
        dot_strip=dot_strip,
        top_rows=shown,
        top=TOP,
        ended=ended,
    )
    return env


def render(env: jinja2.Environment, name: str, **context: Any) -> Markup:
    """One template as markup that a slot takes unchanged."""
    return Markup(env.get_template(name).render(**context))  # noqa: S704 - the environment escapes

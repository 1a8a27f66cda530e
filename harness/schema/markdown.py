"""Markdown for a stranger's text: one inline code span that nothing in it can end.

Takes any text, gives one line. Never lets through a control character, a line break, a table's bar or a mention.
"""

from __future__ import annotations

import re

MAX_CHARS = 300


def code(text: str, limit: int = MAX_CHARS) -> str:
    """`text` as inline code, shortened to `limit` characters; safe in a paragraph, a list and a table cell.

    Inside a code span GitHub renders no HTML, no link and no mention; only backticks could end it, and a bar would
    split a table's cell.
    """
    plain = "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text[: limit + 1].split()))
    plain = plain if len(plain) <= limit else plain[: limit - 1] + "\u2026"
    plain = plain.replace("|", "\u2223").strip() or "-"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", plain)), default=0))
    space = " " if "`" in plain else ""
    return f"{fence}{space}{plain}{space}{fence}"

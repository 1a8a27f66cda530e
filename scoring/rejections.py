"""Rejections in words, on standard error. Takes the folders that are on no board and why; never lets text act."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence


def print_rejections(rejections: Iterable[tuple[str, Sequence[str]]]) -> None:
    """To standard error: every folder that is on no board, and why."""
    for folder, reasons in rejections:
        for reason in reasons:
            print(one_line(f"warning: {folder}: {reason}"), file=sys.stderr)


def one_line(text: str) -> str:
    """One line without control characters or changes of writing direction."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)

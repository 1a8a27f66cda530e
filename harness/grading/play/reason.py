"""Why an attempt is invalid, in words that may come from the player. Takes hostile text, gives text fit to be shown."""

from __future__ import annotations


def clean(text: str, cap: int) -> str:
    """For a record and a terminal: no control, bidirectional or surrogate characters; the end is kept."""
    plain = "".join(char for char in text if char.isprintable() or char == "\n").strip()
    return plain if len(plain) <= cap else "..." + plain[3 - cap :]

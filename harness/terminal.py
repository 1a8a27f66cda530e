"""Foreign text made safe to print: takes any string, gives one that cannot drive the terminal. Never prints."""

from __future__ import annotations

import re
import unicodedata

# ECMA-48: strings (OSC, DCS, SOS, PM, APC) up to their end or the end of the text, then control sequences, then the
# two-byte escapes, each in its 7-bit and 8-bit form. What is left of ESC goes with the control characters.
_ESCAPES = re.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x07|\x1b\\|\x9c|\Z)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|\Z)"
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn"}  # controls, bidirectional and invisible marks, surrogates, unassigned


def plain(text: str, *, tabs: bool = False) -> str:
    """Printable characters and newlines only: no escape sequence, control, direction or invisible mark survives.
    `tabs`: tabulators stay what they are."""
    lines = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text))
    lines, kept = (lines, "\n\t") if tabs else (lines.expandtabs(4), "\n")
    return "".join(char for char in lines if char in kept or unicodedata.category(char) not in _DROPPED)


def cut(text: str, lines: int) -> str:
    """At most this many lines: the head, how many were left out, and the last third."""
    all_lines = text.split("\n")
    left_out = len(all_lines) - lines
    if left_out <= 1:
        return text
    tail = lines // 3
    return "\n".join([*all_lines[: lines - tail], f"... {left_out} more lines (--full shows them)", *all_lines[-tail:]])

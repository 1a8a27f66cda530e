"""A submitted CSV as text columns. Takes hostile bytes, gives one string a cell or InvalidArtifact with the line.

Accepted: UTF-8, comma, double quotes, LF or CRLF, a byte order mark, the declared columns in any order. Every line is
one row, so a value may not hold a line break, quoted or not. Never interprets a value.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from harness.errors import InvalidArtifact

MAX_LINE_BYTES = 65_536


def shown(text: str, limit: int = 40) -> str:
    """Untrusted text for a message: control, format and bidirectional characters replaced, capped."""
    clean = "".join(char if char.isprintable() else "?" for char in text[: limit + 1])
    return clean if len(text) <= limit else clean[:limit] + "..."


def read_table(name: str, data: bytes, columns: Sequence[str]) -> dict[str, list[str]]:
    """The cells of `data` by column. Raises InvalidArtifact when it is not exactly such a table."""
    lines = _lines(name, data)
    rows = [_cells(name, number, line) for number, line in enumerate(lines, start=1)]
    header = rows[0]
    if sorted(header) != sorted(columns):
        found = ", ".join(shown(cell) for cell in header[:10]) + (", ..." if len(header) > 10 else "")
        raise InvalidArtifact(
            f"{name}: the first line must name exactly the columns {', '.join(columns)}; it has {found}"
        )
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InvalidArtifact(f"{name}: line {number} has {len(row)} values, the header has {len(header)}")
    if len(rows) == 1:
        raise InvalidArtifact(f"{name}: has a header and no rows")
    return {column: [row[header.index(column)] for row in rows[1:]] for column in columns}


def _lines(name: str, data: bytes) -> list[str]:
    raw = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n")
    if not raw:
        raise InvalidArtifact(f"{name}: is empty")
    lines = raw.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_BYTES:
            raise InvalidArtifact(f"{name}: line {number} has {len(line):,} bytes; at most {MAX_LINE_BYTES:,} fit")
        if b"\0" in line or b"\r" in line:
            raise InvalidArtifact(
                f"{name}: line {number} holds a NUL byte or a lone carriage return; is this a CSV file?"
            )
    try:
        return raw.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        number = raw[: error.start].count(b"\n") + 1
        raise InvalidArtifact(f"{name}: line {number} is not UTF-8 (byte {raw[error.start]:#04x})") from None


def _cells(name: str, number: int, line: str) -> list[str]:
    if not line:
        raise InvalidArtifact(f"{name}: line {number} is empty")
    if line.count('"') % 2:
        raise InvalidArtifact(f"{name}: line {number} opens a quote and does not close it; a value may not span lines")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise InvalidArtifact(f"{name}: line {number} is not CSV: {error}") from None

"""A PDF's text, page by page, read in a process of its own under limits.

Takes bytes, gives a Document. What was read before a limit ended the process is kept and said to be a part. Never
parses anything of the file in this process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from harness.errors import UsageError
from harness.literature.pdf_child import OUT_BYTES
from harness.literature.web import Unfetchable

CHILD = Path(__file__).with_name("pdf_child.py")
LIMIT_S = 180.0


@dataclass(frozen=True)
class Document:
    """`pages`: the texts that were read, from the first page on; `total`: how many pages the file has."""

    pages: tuple[str, ...]
    total: int


def demand_pypdf() -> None:
    """Raises UsageError when the parser is not installed."""
    try:
        import pypdf  # noqa: F401
    except ImportError:
        raise UsageError('literature needs pypdf: pip install "gymboard[literature]"') from None


def read_document(data: bytes) -> Document:
    """Raises Unfetchable when no page could be read."""
    if b"%PDF-" not in data[:1024]:
        raise Unfetchable("this is no PDF")
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(data)
        given.seek(0)
        words = [sys.executable, "-I", "-W", "ignore", str(CHILD)]
        try:
            subprocess.run(
                words,
                env={},
                cwd="/",
                stdin=given,
                stdout=said,
                stderr=subprocess.DEVNULL,
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pass  # run() has killed it; what it said is there
        said.seek(0)
        return _document(said)


def _document(said: BinaryIO) -> Document:
    lines = said.read(OUT_BYTES).split(b"\n")[:-1]
    try:
        head, *pages = [json.loads(line) for line in lines]
        if "refused" in head:
            raise Unfetchable(str(head["refused"]))
        total = int(head["pages"])
    except (ValueError, KeyError, TypeError):
        raise Unfetchable("the PDF cannot be read: a limit of memory or time ended the parser") from None
    texts = tuple(str(page).encode("utf-8", "replace").decode() for page in pages)
    return Document(texts, total)

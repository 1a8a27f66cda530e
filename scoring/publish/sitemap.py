"""The sitemap: what mkdocs wrote has one address of each shell, readers need those of the pages stamped from it.

Takes a built folder, rewrites sitemap.xml and sitemap.xml.gz in it. The same names give the same bytes.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape as xml_escape


def extend_sitemap(built: Path, mark: str, names: Iterable[str]) -> None:
    """Replace the address with `mark` in it by one for each name; without a site address there is nothing to list."""
    path, packed = built / "sitemap.xml", built / "sitemap.xml.gz"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    start, end = text.find("<url>"), text.rfind("</url>")
    blocks = [b for b in text[start : end + 6].split("</url>") if "<loc>" in b] if start >= 0 else []
    shell = next((b for b in blocks if mark in b), None)
    if shell is None:
        path.unlink(missing_ok=True)
        packed.unlink(missing_ok=True)
        return
    kept = [b for b in blocks if b != shell] + [shell.replace(mark, xml_escape(name)) for name in names]
    body = "".join(f"{b.strip()}\n</url>\n" for b in kept)
    text = f"{text[:start]}{body}{text[end + 6 :].lstrip()}"
    path.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode(), mtime=0))

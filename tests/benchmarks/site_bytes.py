"""Where the bytes of a built site are: by folder and kind of file, and by block of the entry pages.

Takes the folder of a site, as `site_figures.py --keep FOLDER` leaves one, and prints bytes; of a block also how many of
them are words.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

_BLOCKS = re.compile(r"(?=<article\b|<h[23] id=|</article>)")
_NAME = re.compile(r'<h[23] id="?([a-z-]+)|<(/?article)')


def main(site: Path) -> None:
    kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for path in site.rglob("*"):
        if path.is_file():
            folder, *inside = path.relative_to(site).parts
            kinds[folder if inside else ".", path.suffix].append(path.stat().st_size)
    for (folder, kind), sizes in sorted(kinds.items(), key=lambda pair: -sum(pair[1])):
        print(f"{sum(sizes):>12,} {len(sizes):>6,} {folder} {kind}")
    print(f"{sum(map(sum, kinds.values())):>12,} all")
    blocks: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for page in sorted((site / "entries").glob("*.html"))[::20]:
        for block in _BLOCKS.split(page.read_text(encoding="utf-8")):
            name = _NAME.match(block)
            words = re.sub(r"<[^>]*>", "", block)
            blocks[name[1] or name[2] if name else "frame"].append((len(block.encode()), len(words.encode())))
    print("an entry page, median of every 20th:")
    for name, sizes in blocks.items():
        whole, words = (statistics.median(column) for column in zip(*sizes, strict=True))
        print(f"{whole:>12,.0f} bytes, {words:>6,.0f} of them words: {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What an episode may look up: a search, and PDFs whose last few stay at hand for scrolling.

Takes the episode's remaining time, gives Papers and Documents. Raises Unfetchable.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.home import home
from harness.literature.pace import Pace
from harness.literature.pdf import Document, read_document
from harness.literature.scholar import BASE, Scholar
from harness.literature.web import Unfetchable, Web

KEY = "SEMANTIC_SCHOLAR_API_KEY"
PDF_BYTES = 32 << 20
PDF_S = 120.0
KEPT = 4


@dataclass(frozen=True)
class Shelf:
    """Where a run's literature comes from; the same for all of its episodes."""

    web: Web = field(default_factory=Web)
    base: str = BASE

    def open(self, time_left: Callable[[], float]) -> Library:
        """One episode's library."""
        return Library(self, time_left)


class Library:
    """One episode's way to papers."""

    def __init__(self, shelf: Shelf, time_left: Callable[[], float]) -> None:
        self._web, self._time_left = shelf.web, time_left
        pace = Pace(home() / "semantic-scholar.last")
        self.scholar = Scholar(shelf.web, pace, time_left, os.environ.get(KEY) or None, shelf.base)
        self._documents: dict[str, Document] = {}

    def document(self, url: str) -> Document:
        """The PDF at an https url; arXiv's abstract pages stand for their PDFs."""
        url = url.replace("https://arxiv.org/abs/", "https://arxiv.org/pdf/", 1)
        if url in self._documents:
            return self._documents[url]
        page = self._web.get(url, most_bytes=PDF_BYTES, limit_s=max(1.0, min(PDF_S, self._time_left())))
        if page.status != 200:
            raise Unfetchable(f"the server answers {page.status}")
        document = read_document(page.body)
        while len(self._documents) >= KEPT:
            del self._documents[next(iter(self._documents))]
        self._documents[url] = document
        return document

"""Semantic Scholar's paper search (Academic Graph API, /graph/v1/paper/search).

Takes words, gives papers. One request a second, Retry-After honoured, three more tries while it is busy; a key
(SEMANTIC_SCHOLAR_API_KEY) goes to that host alone. Never believes more of an answer than its fields' types.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.literature.pace import Pace
from harness.literature.web import Page, Unfetchable, Web

BASE = "https://api.semanticscholar.org/graph/v1"
FIELDS = "title,abstract,year,venue,citationCount,authors,externalIds,openAccessPdf"
BUSY = (429, 500, 502, 503, 504)
TRIES = 4
LONGEST_WAIT_S = 60.0
ANSWER_S = 30.0
ANSWER_BYTES = 4 << 20


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Author(_Part):
    """Of an author what is shown."""

    name: str | None = None


class Link(_Part):
    """Where a PDF lies."""

    url: str | None = None


class Paper(_Part):
    """One result; every field may be missing."""

    title: str | None = None
    abstract: str | None = None
    year: int | None = None
    venue: str | None = None
    citationCount: int | None = None  # noqa: N815 - the API's own name
    authors: tuple[Author, ...] | None = None
    externalIds: dict[str, str | int] | None = None  # noqa: N815
    openAccessPdf: Link | None = None  # noqa: N815

    @property
    def pdf(self) -> str | None:
        """An https url of its PDF: arXiv's when it is there, else the publisher's."""
        if arxiv := (self.externalIds or {}).get("ArXiv"):
            return f"https://arxiv.org/pdf/{arxiv}"
        url = self.openAccessPdf.url if self.openAccessPdf else None
        return url if url and url.startswith("https://") else None


class Papers(_Part):
    """The API's answer."""

    total: int = 0
    data: tuple[Paper, ...] = ()


@dataclass(frozen=True)
class Scholar:
    """The search. `time_left` gives the seconds that may still be waited."""

    web: Web
    pace: Pace
    time_left: Callable[[], float]
    key: str | None = None
    base: str = BASE

    def search(self, words: str, most: int, years: str = "") -> Papers:
        """At most `most` papers in the API's order; `years`: 2019, 2016-2020, 2010- or -2015. Raises Unfetchable."""
        query = {"query": words, "limit": str(most), "fields": FIELDS} | ({"year": years} if years else {})
        page = self._asked(f"{self.base}/paper/search?{urlencode(query)}")
        if page.status != 200:
            raise Unfetchable(f"Semantic Scholar answers {page.status}: {page.body[:300].decode(errors='replace')}")
        try:
            return Papers.model_validate_json(page.body)
        except (ValidationError, RecursionError):
            raise Unfetchable("Semantic Scholar's answer could not be read") from None

    def _asked(self, url: str) -> Page:
        wait = 0.0
        for number in range(TRIES):
            if wait > min(LONGEST_WAIT_S, self.time_left()):
                break
            time.sleep(wait)
            if not self.pace.wait(min(LONGEST_WAIT_S, self.time_left())):
                break
            headers = {"x-api-key": self.key} if self.key else {}
            limit_s = max(1.0, min(ANSWER_S, self.time_left()))
            page = self.web.get(url, most_bytes=ANSWER_BYTES, limit_s=limit_s, headers=headers)
            if page.status not in BUSY:
                return page
            wished = _retry_after_s(page)
            wait = 2.0**number if wished is None else wished
        raise Unfetchable("Semantic Scholar is busy; go on with something else and search again later")


def _retry_after_s(page: Page) -> float | None:
    """Retry-After in seconds or as a date (RFC 9110)."""
    text = page.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time()) if text else None
    except (ValueError, OverflowError):
        return None

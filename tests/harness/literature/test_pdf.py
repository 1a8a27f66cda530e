"""PDFs: what is in them, page by page, and hostile ones that end in words."""

from __future__ import annotations

import pytest

from harness.literature.pdf import read_document
from harness.literature.pdf_child import PAGE_CHARS, PAGES
from harness.literature.web import Unfetchable
from tests.harness.literature.papers import assembled, bomb, endless_tree, from_streams, pdf


def test_every_page_in_order() -> None:
    document = read_document(pdf("first page", "", "third page"))
    assert document.total == 3
    assert [page.strip() for page in document.pages] == ["first page", "", "third page"]


def test_more_pages_than_are_read() -> None:
    document = read_document(pdf(*(f"page {number}" for number in range(PAGES + 5))))
    assert (document.total, len(document.pages), document.pages[-1]) == (PAGES + 5, PAGES, f"page {PAGES - 1}")


def test_a_page_of_megabytes_is_cut() -> None:
    document = read_document(pdf("a" * 300_000, "after"))
    assert [len(page) for page in document.pages] == [PAGE_CHARS, len("after")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no PDF"),
        (b"<html>please log in</html>", "no PDF"),
        (b"%PDF-1.7\n" + bytes(1000), "cannot be read"),
        (pdf("half")[:300], "cannot be read"),
        (assembled([b"<< /Type /Catalog >>"]), "cannot be read"),
        (assembled([b"<< /Type /Catalog /Pages 1 0 R >>"]), None),
        (endless_tree(), None),
        (pdf("deep") + b"[" * 200_000, None),
    ],
)
def test_hostile_files_end_in_words(data: bytes, why: str | None) -> None:
    try:
        document = read_document(data)
    except Unfetchable as error:
        assert (why or "") in str(error)
    else:
        assert why is None
        assert len(document.pages) <= PAGES


def test_a_bomb_costs_its_page_alone() -> None:
    """Half a GiB of text in a page: the parser's own bound or the process's memory ends it; never this one."""
    try:
        document = read_document(bomb())
    except Unfetchable as error:
        assert "limit" in str(error)
    else:
        assert sum(map(len, document.pages)) <= PAGE_CHARS


def test_a_broken_page_does_not_hide_the_others() -> None:
    good = b"BT /F1 12 Tf (good) Tj ET"
    document = read_document(from_streams(good, b"BT /F1 12 Tf (\xff\xfe <<<< ((((", good))
    assert document.total == 3
    assert [document.pages[0].strip(), document.pages[-1].strip()] == ["good", "good"]

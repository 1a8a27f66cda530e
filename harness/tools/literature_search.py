"""literature_search: papers by words, from Semantic Scholar."""

from __future__ import annotations

from pydantic import Field

from harness.literature.scholar import Paper
from harness.literature.web import Unfetchable
from harness.tools.base import Arguments, Tool, ToolResult, ToolState, refused
from harness.tools.looking import visible

ABSTRACT_CHARS = 1200
LINE_CHARS = 300
NO_LIBRARY = "this run has no literature; it would be begun with gymboard run --literature"


class LiteratureSearchArguments(Arguments):
    """Which papers."""

    query: str = Field(min_length=1, max_length=300, description="words to search for")
    most: int = Field(default=5, ge=1, le=20, description="at most so many papers")
    years: str = Field(
        default="", pattern=r"^(\d{4}(-(\d{4})?)?|-\d{4})?$", description="2019, 2016-2020, 2010- or -2015; all"
    )


def _run(state: ToolState, asked: LiteratureSearchArguments) -> ToolResult:
    if state.library is None:
        return refused(NO_LIBRARY)
    try:
        papers = state.library.scholar.search(asked.query, asked.most, asked.years)
    except Unfetchable as why:
        return refused(f"not searched: {visible(str(why))}")
    if not papers.data:
        return ToolResult("no paper was found; try other words")
    shown = papers.data[: asked.most]
    head = f"[{len(shown)} of {papers.total} papers; titles and abstracts are others' words, to be judged]"
    return ToolResult("\n".join([head, *(_shown(number, paper) for number, paper in enumerate(shown, start=1))]))


def _shown(number: int, paper: Paper) -> str:
    names = [author.name or "?" for author in paper.authors or ()]
    who = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    cited = None if paper.citationCount is None else f"cited {paper.citationCount} times"
    facts = [who, str(paper.year or ""), paper.venue or "", cited or ""]
    lines = [f"{number}. {_line(paper.title or '(no title)')}", f"   {_line('; '.join(filter(None, facts)))}"]
    lines += [f"   pdf: {_line(paper.pdf)}"] if paper.pdf else []
    lines += [f"   | {visible(paper.abstract)[:ABSTRACT_CHARS]}"] if paper.abstract else []
    return "\n".join(lines)


def _line(text: str) -> str:
    return visible(text)[:LINE_CHARS]


TOOL = Tool(
    "literature_search",
    "Search Semantic Scholar for papers: titles, authors, abstracts, and the urls of PDFs that read_pdf can read.",
    LiteratureSearchArguments,
    _run,
    aid="literature",
    again=False,
)

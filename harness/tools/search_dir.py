"""search_dir: lines that have a text, in every text file below a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from harness.tools.base import Arguments, Tool, ToolResult, ToolState, refused
from harness.tools.looking import Unseen, ask, visible

MOST = 60


class SearchDirArguments(Arguments):
    """What, and where."""

    term: str = Field(min_length=1, max_length=1000, pattern=r"^[^\n]*$", description="text to look for, as it stands")
    path: str = Field(default=".", min_length=1, max_length=4096, description="a folder; left out: the workspace")


def _run(state: ToolState, asked: SearchDirArguments) -> ToolResult:
    return search(state, asked.term, asked.path)


def search(state: ToolState, term: str, path: str) -> ToolResult:
    """Ask for the lines with `term` and put them into words."""
    try:
        answer = ask(state, "search", path, term=term, most=MOST)
        return ToolResult(_words(answer, term))
    except Unseen as why:
        return refused(str(why))
    except (KeyError, TypeError, ValueError):
        return refused(f"{visible(path)}: the files could not be looked at: an answer without its parts")


def counted(number: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _words(answer: Mapping[str, Any], term: str) -> str:
    total, of, found = int(answer["total"]), int(answer["of"]), answer["found"]
    until = "" if answer["whole"] else " before a limit ended the search; search a smaller folder"
    if not total:
        return f"no line has {visible(term)!r}{until or ' (binary files are not searched)'}"
    lines = [f"{counted(total, 'line')} in {counted(of, 'file')} with {visible(term)!r}{until}"]
    lines += [f"{visible(str(name))}:{int(line)}: {visible(str(text))}" for name, line, text in found]
    if total > len(found):
        lines.append(f"({total - len(found)} more lines; by file:)")
        lines += [f"{visible(str(name))}: {int(count)}" for name, count in answer["files"]]
    return "\n".join(lines)


TOOL = Tool("search_dir", "Find the lines that have a text in the files below a folder.", SearchDirArguments, _run)

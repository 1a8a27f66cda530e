"""find_file: files below a folder by their name."""

from __future__ import annotations

from pydantic import Field

from harness.tools.base import Arguments, Tool, ToolResult, ToolState, refused
from harness.tools.looking import Unseen, ask, visible
from harness.tools.search_dir import counted

MOST = 100


class FindFileArguments(Arguments):
    """Which name, and where."""

    name: str = Field(min_length=1, max_length=255, description="a file's name, or a pattern such as *.csv")
    path: str = Field(default=".", min_length=1, max_length=4096, description="a folder; left out: the workspace")


def _run(state: ToolState, asked: FindFileArguments) -> ToolResult:
    try:
        answer = ask(state, "find", asked.path, pattern=asked.name, most=MOST)
        total, names = int(answer["total"]), [visible(str(name)) for name in answer["names"]]
    except Unseen as why:
        return refused(str(why))
    except (KeyError, TypeError, ValueError):
        return refused(f"{visible(asked.path)}: the files could not be looked at: an answer without its parts")
    more = f"({total - len(names)} more)" if total > len(names) else ""
    until = "" if answer.get("whole") else "(a limit ended the search; look in a smaller folder)"
    head = f"{counted(total, 'file')} of this name" if total else "no file has this name"
    return ToolResult("\n".join(filter(None, [head, *names, more, until])))


TOOL = Tool("find_file", "Find files by name below a folder (shell pattern, case matters).", FindFileArguments, _run)

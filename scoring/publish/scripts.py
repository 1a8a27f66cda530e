"""Our own scripts as they are served: without comments, which are for readers of the source.

Takes the folder of built assets, rewrites *.js and js/*.js in place. Knows block comments that begin a line and lines
that begin with two slashes, and no others. Never touches a folder below, where other people's scripts and licences lie.
"""

from __future__ import annotations

import re
from pathlib import Path

_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)\n+", re.DOTALL | re.MULTILINE)


def without_comments(script: str) -> str:
    """The script as it runs."""
    return _COMMENT.sub("", script)


def serve_bare(assets: Path) -> None:
    """Every script of ours under `assets`."""
    for path in (*assets.glob("*.js"), *assets.glob("js/*.js")):
        path.write_text(without_comments(path.read_text(encoding="utf-8")), encoding="utf-8")

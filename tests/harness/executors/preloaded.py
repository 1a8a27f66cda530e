"""A library that takes the place of some of libc's calls in the processes of a test.

Takes its source, gives the environment in which it is loaded. Never runs where there is no C compiler.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.conftest import lacking


def preloaded(source: str, folder: Path) -> dict[str, str]:
    """The environment with `source`, a file beside this one, compiled into `folder`."""
    compiler, library = shutil.which("cc"), folder / f"{source}.so"
    if compiler is None:
        lacking("a C compiler", "there is no cc")
    words = [compiler, "-shared", "-fPIC", "-o", library, Path(__file__).with_name(source), "-ldl"]
    subprocess.run(words, check=True)
    return {"LD_PRELOAD": str(library)}

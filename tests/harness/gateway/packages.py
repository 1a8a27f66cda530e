"""Client packages as a program's folder, as `pip install --target` leaves them, from this environment: no network."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def install(names: list[str], target: Path) -> None:
    """Copy the packages and all that they need."""
    waiting, done = list(names), set()
    while waiting:
        name = re.split(r"[^A-Za-z0-9_.-]", waiting.pop(), maxsplit=1)[0].lower().replace("_", "-")
        if name in done:
            continue
        done.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        for file in found.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                to = target / file
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(found.locate_file(file)), to)
        waiting += [line for line in found.requires or () if "extra ==" not in line]

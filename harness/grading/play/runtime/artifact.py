"""Loads functions out of the artifact's Python file, inside the player.

Takes the artifact folder and names, gives the functions; the file's code runs here, and only here.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def load_function(folder: Path, meta: Mapping[str, Any]) -> Callable[..., Any]:
    """The function `meta["function"]` of `meta["file"]`; for the rest see load_functions."""
    return load_functions(folder, meta, [meta["function"]])[0]


def load_functions(folder: Path, meta: Mapping[str, Any], names: Sequence[str]) -> list[Callable[..., Any]]:
    """The functions `names` of `meta["file"]`, which runs once.

    `meta["seed"]`, an integer that the referee draws in a stream of its own, seeds the artifact's `random` (and
    numpy.random when `meta["numpy"]`) first: the same artifact under the same sealed seed plays the same match again.
    """
    random.seed(meta["seed"])
    if meta.get("numpy"):
        import numpy as np

        np.random.seed(meta["seed"] % 2**32)
    path = folder / meta["file"]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{meta['file']} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    functions = [getattr(module, name, None) for name in names]
    for name, function in zip(names, functions, strict=True):
        if not callable(function):
            raise TypeError(f"{meta['file']} does not define the function {name}")
    return functions  # type: ignore[return-value]

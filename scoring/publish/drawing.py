"""One process that draws: `python -m scoring.publish.drawing`, started by engine. A JSON line in, a JSON line out.

Takes Vega-Lite, SVG or a script, gives SVG, PNG or one script. Imports little: it is started to be quick.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import IO, Literal

from scoring.publish.png import smaller

Kind = Literal["svg", "png", "script"]
"""From Vega-Lite to SVG, from SVG to PNG in base64, from a module's text to a script with all that it imports."""


def _svg(text: str) -> str:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(text))


def _png(text: str) -> str:
    import vl_convert

    return b64encode(smaller(vl_convert.svg_to_png(text, scale=1))).decode()


def _script(text: str) -> str:
    import vl_convert

    return str(vl_convert.javascript_bundle(text))


MAKERS: Mapping[Kind, Callable[[str], str]] = {"svg": _svg, "png": _png, "script": _script}
"""Whoever starts such a process, and draws nothing itself, does not load the engine."""


def main(asked: IO[bytes], out: IO[bytes]) -> None:
    """Every line, until there are no more."""
    for line in asked:
        kind, text = json.loads(line)
        out.write(f"{json.dumps(MAKERS[kind](text))}\n".encode())
        out.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)

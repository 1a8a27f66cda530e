"""What the process beside a build draws is what this one would draw; one that dies costs nothing but time."""

from __future__ import annotations

import subprocess
from base64 import b64decode
from typing import Any

import pytest

from scoring.facts import pool
from scoring.publish import engine
from scoring.publish.drawing import MAKERS
from scoring.publish.engine import ask, running

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="9"><rect width="9" height="9"/></svg>'
DOT = '{"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {"x": {"field": "a", "type": "quantitative"}}}'


def test_answers_come_in_the_order_of_the_asking_and_are_what_is_made_here() -> None:
    with running():
        picture, chart, again = ask("png", SVG), ask("svg", DOT), ask("png", SVG)
        assert chart() == MAKERS["svg"](DOT) == ask("svg", DOT)()
        assert picture() == again() == MAKERS["png"](SVG)
    assert b64decode(picture()).startswith(b"\x89PNG")


def test_what_a_killed_process_does_not_answer_is_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    start = pool.start

    def killed(*words: str, **more: Any) -> subprocess.Popen[bytes]:
        process = start(*words, **more)
        process.kill()
        process.wait()
        return process

    monkeypatch.setattr(engine, "start", killed)
    with running():
        assert ask("png", SVG)() == MAKERS["png"](SVG)


def test_a_drawing_that_cannot_be_made_is_said_where_it_is_asked_for() -> None:
    with running():
        wrong, right = ask("png", "no drawing"), ask("png", SVG)
        with pytest.raises(RuntimeError, match="unknown token"):
            wrong()
        assert right() == MAKERS["png"](SVG), "it killed the process, and nobody else's drawing"

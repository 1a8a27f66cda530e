"""The drawing engine in a process of its own: V8 starts once, beside all else, and its memory goes when the build ends.

Takes Vega-Lite, SVG or a script, gives SVG, PNG or one script, in the order of the asking: vl-convert holds the
interpreter while it draws. What that process does not answer is made in this one.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar

from scoring.facts.pool import start
from scoring.publish.drawing import MAKERS, Kind

_current: ContextVar[Engine | None] = ContextVar("engine", default=None)


class Engine:
    """Its process starts when something is asked for. Never two askers: one thread writes and reads."""

    def __init__(self) -> None:
        self._asker = ThreadPoolExecutor(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def ask(self, kind: Kind, text: str) -> Future[str]:
        return self._asker.submit(self._answer, kind, text)

    def close(self) -> None:
        """What is asked for and not made will not be."""
        self._closed = True
        self._asker.shutdown(wait=False, cancel_futures=True)
        if process := self._process:
            process.kill()
        self._asker.shutdown()
        self._end()

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _answer(self, kind: Kind, text: str) -> str:
        if self._process is None:
            self._process = start("scoring.publish.drawing", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            return _asked(self._process, kind, text)
        except (OSError, ValueError):  # it is gone: whatever is wrong is said here, and the next one has a new process
            self._end()
            return "" if self._closed else MAKERS[kind](text)


def _asked(process: subprocess.Popen[bytes], kind: Kind, text: str) -> str:
    """Raises OSError or ValueError where no answer comes."""
    if process.stdin is None or process.stdout is None:
        raise OSError("a process without pipes")
    process.stdin.write(f"{json.dumps([kind, text])}\n".encode())
    process.stdin.flush()
    return str(json.loads(process.stdout.readline()))


@contextlib.contextmanager
def running() -> Iterator[None]:
    """For the length of one build."""
    engine = Engine()
    before = _current.set(engine)
    try:
        yield
    finally:
        _current.reset(before)
        engine.close()


def ask(kind: Kind, text: str) -> Callable[[], str]:
    """The way to wait for it: made beside the build that is open, or here and now when none is."""
    engine = _current.get()
    if engine is None:
        made = MAKERS[kind](text)
        return lambda: made
    return engine.ask(kind, text).result

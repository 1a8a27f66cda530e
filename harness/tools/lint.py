"""Whether bytes are Python: asked of a resident process under limits, because a parser can be made to crash.

Takes source bytes, gives the first syntax error or None. One process serves every episode of this one; it starts at
the first question, is replaced when it dies, and ends by itself when its pipe closes. Never runs what it parses.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROGRAM = Path(__file__).with_name("linter.py")
LIMIT_S = 60.0


@dataclass(frozen=True)
class SyntaxFault:
    """Where and why; `line` 0: not at any line."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


class Linter:
    """The resident process, one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def check(self, source: bytes) -> SyntaxFault | None:
        """The first fault of a module's source, or None when it parses."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = self._start()
            said = self._ask(self._process, len(source).to_bytes(8, "big") + source)
            if said is None:
                self._process.kill()
                self._process.communicate()
                self._process = None
                return SyntaxFault(0, "the parser gave up: too large, too deep or too slow")
        fault = json.loads(said)
        return SyntaxFault(int(fault["line"]), str(fault["reason"])) if fault else None

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        words = [sys.executable, "-I", "-S", "-W", "ignore", str(PROGRAM)]
        return subprocess.Popen(words, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    @staticmethod
    def _ask(process: subprocess.Popen[bytes], question: bytes) -> bytes | None:
        """The answer's line; None when the process died or is late."""
        assert process.stdin is not None and process.stdout is not None
        deadline, said = time.monotonic() + LIMIT_S, b""
        try:
            process.stdin.write(question)
            process.stdin.flush()
        except BrokenPipeError:
            return None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not said.endswith(b"\n"):
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                piece = os.read(process.stdout.fileno(), 65536) if ready else b""
                if not piece:
                    return None
                said += piece
        return said


@cache
def _of_process(pid: int) -> Linter:
    return Linter()


def check_syntax(source: bytes) -> SyntaxFault | None:
    """Ask this process's linter; a forked child has its own."""
    return _of_process(os.getpid()).check(source)

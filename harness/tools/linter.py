"""The resident parser: length and source on stdin, one JSON line an answer (null, or line and reason). Limits itself.

Standard library only; started by lint.py with an empty environment. Never runs or imports what it parses.
"""

from __future__ import annotations

import ast
import json
import resource
import sys

MEMORY_BYTES = 1 << 30
CPU_S = 20
PYTHON_OF_IMAGES = (3, 11)


def limit() -> None:
    """Memory, files and cores for good; what can be written is nothing."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))


def allow_cpu() -> None:
    """So many seconds for the next question."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_S, hard))


def fault(source: bytes) -> dict[str, object] | None:
    """The first syntax error of a module."""
    try:
        ast.parse(source, feature_version=PYTHON_OF_IMAGES)
    except SyntaxError as error:
        return {"line": error.lineno or 0, "reason": error.msg}
    except (ValueError, RecursionError, MemoryError) as error:
        return {"line": 0, "reason": str(error) or type(error).__name__}
    return None


def main() -> None:
    """Answer until stdin ends."""
    limit()
    questions = sys.stdin.buffer
    while len(head := questions.read(8)) == 8:
        allow_cpu()
        source = questions.read(int.from_bytes(head, "big"))
        sys.stdout.write(json.dumps(fault(source)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

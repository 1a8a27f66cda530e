"""The process that reads one PDF: bytes on stdin, on stdout a JSON line with the number of pages, then one a page.

Limits itself before it looks at anything: memory, CPU time, no file that grows beyond the cap of its output, no new
process. Started by pdf.py with an empty environment; what it cannot read of a page it says in that page's place.
"""

from __future__ import annotations

import io
import json
import resource
import sys

MEMORY_BYTES = 1 << 30
CPU_S = 60
OUT_BYTES = 16 << 20
PAGES = 300
PAGE_CHARS = 40_000


def limit() -> None:
    """For good."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUT_BYTES, OUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def say(value: object) -> None:
    """One line, out at once: what was read before a limit is kept."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read stdin, say every page."""
    limit()
    from pypdf import PasswordType, PdfReader

    try:
        reader = PdfReader(io.BytesIO(sys.stdin.buffer.read()))
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            say({"refused": "it is locked by a password"})
            return
        total = len(reader.pages)
    except Exception as error:  # whatever a hostile file makes the parser raise
        say({"refused": f"it cannot be read as a PDF: {type(error).__name__}: {str(error)[:200]}"})
        return
    say({"pages": total})
    for number in range(min(total, PAGES)):
        try:
            say(reader.pages[number].extract_text()[:PAGE_CHARS])
        except OSError:
            return  # the output's cap
        except Exception as error:
            say(f"(this page cannot be read: {type(error).__name__}: {str(error)[:200]})")


if __name__ == "__main__":
    main()

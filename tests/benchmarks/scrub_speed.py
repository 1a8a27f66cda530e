"""What scrubbing costs: seconds of CPU for a megabyte of ordinary and of hostile text.

    PYTHONPATH=. python -m tests.benchmarks.scrub_speed [megabytes]

Prints seconds a megabyte, target against measured; exits 1 when one is missed. The time is linear in the text, so
100 MB cost a hundred times as much.
"""

from __future__ import annotations

import random
import string
import sys
import time

from harness.scrub import Scrubber

TARGET_S, HOSTILE_S = 1.0, 5.0
RANDOM = random.Random(0)


def texts(size: int) -> dict[str, tuple[str, float]]:
    """Name -> text and the target for a megabyte of it."""
    words = ["".join(RANDOM.choices(string.ascii_lowercase, k=RANDOM.randint(2, 9))) for _ in range(20_000)]
    alphabet = string.ascii_letters + string.digits + "+/"
    units = {"sk lines": "sk\n", "broken keys": "sk-a1b2c3d4\nA1b2c3d4e5\n", "percent": "%41 ", "escapes": "\\u0041 "}
    return {
        "prose": (" ".join(RANDOM.choices(words, k=size // 6))[:size], TARGET_S),
        "code": ("def f(x):\n    return some_function_name(x, 'abc') + 12\n" * (size // 50), TARGET_S),
        "base64 of noise": ("".join(RANDOM.choices(alphabet, k=size)), TARGET_S),
        **{name: (unit * (size // len(unit)), HOSTILE_S) for name, unit in units.items()},
    }


def main(megabytes: float) -> int:
    late = 0
    for name, (text, target) in texts(int(megabytes * 1e6)).items():
        begun = time.process_time()
        Scrubber(known={"a value of this process": "environment"}).text("log", text)
        took = (time.process_time() - begun) / megabytes
        late += took > target
        print(f"{name:16} {took:6.2f} s of CPU a MB   (target: at most {target:g})", flush=True)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main(float([*sys.argv[1:2], "1"][0])))

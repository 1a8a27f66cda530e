"""Several drivers on one engine: each removes what a dead one left, and never what a living one uses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from tests.harness.sandbox.test_lifecycle import ROOT, gone

DRIVERS, ROUNDS = 4, 3
DRIVER = """
import sys
from pathlib import Path
from harness.sandbox import open_engine
from harness.sandbox.base import BoxSpec, ProcessSpec
from harness.sandbox.owner import owner

kind, starter, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
with open_engine(kind) as engine, engine.sandbox(BoxSpec("cpu", starter)) as box:
    shared = engine.shared_folder()
    process = engine.process(ProcessSpec("player", "cpu", ["cat"], shared=shared))
    box.exec("export KEPT=yes; touch kept", 60)
    print(owner(), flush=True)
    for number in range(rounds):
        with open_engine(kind) as other, other.sandbox(BoxSpec("cpu", starter)) as beside:
            assert beside.exec("echo beside", 60).stdout == "beside\\n"
        assert box.exec("echo $KEPT; ls kept", 60).stdout == "yes\\nkept\\n", "another driver took our shell"
        process.send(b"here\\n")
        assert process.read_line(60, 100) == b"here", "another driver took our process"
print("whole", flush=True)
"""


def test_no_driver_takes_what_another_uses(engine: Engine, starter: Path) -> None:
    words = [sys.executable, "-c", DRIVER, engine.kind, str(starter), str(ROUNDS)]
    drivers = [
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": "."})
        for _ in range(DRIVERS)
    ]
    names = [driver.stdout.readline().strip() for driver in drivers if driver.stdout]
    assert len({*names}) == DRIVERS and all(names)
    drivers[0].send_signal(signal.SIGKILL)
    ends = [driver.communicate(timeout=300)[0] for driver in drivers]
    assert [end.strip() for end in ends] == ["", *["whole"] * (DRIVERS - 1)]
    with open_engine(engine.kind):
        assert gone(*names) == []

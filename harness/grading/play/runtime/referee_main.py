"""The referee's program: `python3 -m gymplay.referee_main <grader folder> <shared folder>`.

Takes one JSON line (seed, split, params, limits, players) on standard input, seats the players one after the other,
runs the task's referee.py and writes one line: {"verdict": ...} or {"invalid": reason, "player": name,
"silent": ...}. The seed enters here and nowhere else; it is never in an argument, an environment or a file.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import socket
import sys
import time
from pathlib import Path
from typing import Any

from .table import Control, Foul, Patience, Player, Table

PR_SET_DUMPABLE = 4
SEAT_S = 60.0
REASON_CAP = 4000  # a line to the host holds 64 KiB, a character up to 12 of its bytes


def main() -> None:
    """Run one match. Exits 0 with a last line on standard output, or with a traceback: then there is no verdict."""
    grader, shared = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # a same-uid process cannot read our memory or descriptors
    control = Control(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    settings = control.hear()
    os.chdir(shared)  # socket addresses hold 107 bytes: bind by a relative name
    sys.path.insert(0, str(grader))
    play = runpy.run_path(str(grader / "referee.py"), run_name="referee")["play"]
    try:
        outcome = play(_table(settings, control))
    except Foul as foul:
        control.tell({"invalid": str(foul)[-REASON_CAP:], "player": foul.player, "silent": foul.silent})
        return
    control.tell({"verdict": {"metrics": dict(outcome.metrics), "stderr": dict(outcome.stderr), "n": outcome.n}})


def _table(settings: dict[str, Any], control: Control) -> Table:
    patience = Patience(settings["reply_time_s"], time.monotonic() + settings["grade_time_s"])

    def seated(name: str) -> Player:
        return Player(name, _seat(name, control, min(patience.deadline, time.monotonic() + SEAT_S)), patience)

    players = {name: seated(name) for name in settings["players"]}
    return Table(settings["params"], settings["split"], bytes.fromhex(settings["seed"]), players, control, seated)


def _seat(name: str, control: Control, deadline: float) -> socket.socket:
    """Listen, have the host start that player, accept one connection, stop listening: nobody connects after it.

    The candidate is seated last and its program connects before it reads the artifact, so no artifact can take a seat.
    """
    address = f"{name}.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        Path(address).chmod(0o666)
        listener.listen(1)
        control.tell({"start": name})
        listener.settimeout(deadline - time.monotonic())
        connection, _ = listener.accept()
    Path(address).unlink()
    return connection


if __name__ == "__main__":
    main()

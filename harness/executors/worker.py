"""A worker process of harness.executors.local: plays the episodes that its driver names, until it is told to end.

Takes messages (harness.executors.wire) on an inherited socket, gives messages. When its driver dies it finishes its
step, if that is soon, and ends with its containers. Never plays on without a driver.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
from dataclasses import asdict
from typing import Any

from harness.errors import GymboardError, in_words
from harness.executors.wire import LONGEST, Wire
from harness.executors.words import RunWords
from harness.executors.work import Workplace
from harness.runner.progress import Progress

STEP_S = 30.0
"""For the step that a worker is in when its driver has died: an answer on its way is paid."""
LAST_S = 60.0
"""For a worker that was told to end to clean up; then the kernel does, and the next engine."""


def main() -> None:
    """`sys.argv[1]` is the socket's number. Exit code 0: its driver had nothing more to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver hears Ctrl-C and says what is to be done
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    wire = _inherited(int(sys.argv[1]))
    due: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    given: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(wire, given, due, stop), name="gymboard-wire", daemon=True).start()
    first = given.get()

    def watch(told: Progress) -> None:
        wire.send({"progress": asdict(told)})

    try:
        with Workplace(RunWords.from_json(first["words"]), devices=first["devices"]) as place:
            while (key := due.get()) is not None:
                ended = place.play(key, watch, stop)
                if ended is None:
                    wire.send({"left": key})
                else:
                    wire.send({"ended": key, "fresh": ended.fresh, "failure": ended.failure[:LONGEST]})
    except (GymboardError, OSError) as error:
        wire.send({"fault": in_words(error)[:LONGEST], "code": getattr(error, "exit_code", 1)})
        sys.exit(1)


def _listen(
    wire: Wire, given: queue.SimpleQueue[dict[str, Any]], due: queue.SimpleQueue[str | None], stop: threading.Event
) -> None:
    while (messages := wire.receive()) is not None:
        for message in messages:
            if "words" in message:
                given.put(message)
            elif "play" in message:
                due.put(message["play"])
            else:
                stop.set()
                due.put(None)
            if "end" in message:
                _end_now()
    stop.set()
    due.put(None)
    threading.main_thread().join(STEP_S)
    _end_now()


def _end_now() -> None:
    """Leave every `with`; who has not managed to by then is ended all the same."""
    if threading.main_thread().is_alive():
        os.kill(os.getpid(), signal.SIGTERM)
        threading.main_thread().join(LAST_S)
    os._exit(1)


def _inherited(number: int) -> Wire:
    """The socket, not to be inherited further: its end is read from its closing."""
    os.set_inheritable(number, False)
    return Wire(socket.socket(fileno=number))


if __name__ == "__main__":
    main()

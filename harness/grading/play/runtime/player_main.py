"""The player's program: `python3 -m gymplay.player_main <adapter> <artifact folder> <socket>`.

Connects to the referee, then answers its messages one by one until it closes. The first message is `start`; only then
is the artifact loaded. An exception of the artifact's is sent as an `error` frame with the end of its traceback. This
process is the artifact's own: nothing in it is trusted, nothing it prints is read as an answer.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .wire import Message, WireError, pack, receive, send

if TYPE_CHECKING:
    from .wire import Array

PATIENCE_S = 24 * 3600.0
TEXT_CAP = 3000


class Adapter(Protocol):
    """Turns messages into calls of the artifact's code."""

    def answer(self, message: Message) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        """Meta and arrays of the reply."""
        ...


def main() -> None:
    """Serve until the referee closes. Exit code 1 after an error of the artifact's."""
    kind, folder, address = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3])
    os.chdir(address.parent)  # socket addresses hold 107 bytes
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(address.name)
    os.chdir(folder)
    sys.exit(serve(connection, open_adapter(kind, folder)))


def open_adapter(kind: str, folder: Path) -> Adapter:
    """The adapter called `kind` for the artifact in `folder`."""
    if kind == "strategy":
        from .adapter_strategy import StrategyAdapter

        return StrategyAdapter(folder)
    if kind == "function":
        from .adapter_function import FunctionAdapter

        return FunctionAdapter(folder)
    if kind == "policy":
        from .adapter_policy import PolicyAdapter

        return PolicyAdapter(folder)
    if kind == "model":
        from .adapter_model import ModelAdapter

        return ModelAdapter(folder)
    raise ValueError(f"no adapter {kind!r}; there are strategy, function, policy and model")


def serve(connection: socket.socket, adapter: Adapter) -> int:
    """Answer until the referee closes (0) or the artifact fails (1)."""
    while True:
        try:
            message = receive(connection, time.monotonic() + PATIENCE_S)
        except WireError:
            return 0
        try:
            meta, arrays = adapter.answer(message)
            frame, code = pack("reply", message.seq, meta, arrays), 0
        except BaseException as error:  # the artifact may raise anything, SystemExit included
            frame, code = pack("error", message.seq, {"text": explain(error)}), 1
        send(connection, frame, time.monotonic() + PATIENCE_S)
        if code:
            return code


def explain(error: BaseException) -> str:
    """The exception and the part of its traceback that is not ours, the end of it when it is long."""
    ours = str(Path(__file__).parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    lines = traceback.format_list([frame for frame in frames if not frame.filename.startswith("<frozen")])
    return "".join([*lines, *traceback.format_exception_only(error)])[-TEXT_CAP:]


if __name__ == "__main__":
    main()

"""A Unix socket that a sandbox sees: bounded in connections, bytes and time; each connection goes to one function.

Takes the path and the function, gives it Peers, each in a thread of its own. Knows no protocol. Never waits for a peer
longer than it said, and never lets a fault of our own go unseen: `fault` keeps the first one for whoever owns the door.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

CONNECTIONS = 32
RECEIVE_S = 30.0
SEND_S = 60.0
READ_BYTES = 64 << 10


class PeerGone(Exception):
    """The other side left, or took longer than it may."""


class Peer:
    """One connection. All that is received must come within RECEIVE_S of the connection's begin."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + RECEIVE_S

    def receive(self) -> bytes:
        """At most READ_BYTES; b'' when the other side has said all. Raises PeerGone."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise PeerGone(f"nothing whole came within {RECEIVE_S:g} s")
        self._connection.settimeout(left)
        try:
            return self._connection.recv(READ_BYTES)
        except OSError as error:
            raise PeerGone(str(error)) from None

    def send(self, data: bytes) -> None:
        """All of it within SEND_S. Raises PeerGone."""
        self._connection.settimeout(SEND_S)
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise PeerGone(str(error)) from None

    def end(self) -> None:
        """Tell the other side that all was said, and let go."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


class Door:
    """Listens from the first moment on; use as a context manager."""

    def __init__(self, path: Path, serve: Callable[[Peer], None]) -> None:
        self.fault: Exception | None = None
        self._serve = serve
        self._peers: set[Peer] = set()
        self._lock = threading.Lock()
        self._socket = _listening(path)
        threading.Thread(target=self._accept, name=f"gymboard-{path.name}", daemon=True).start()

    def close(self) -> None:
        """No more connections; those that are open end."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            peers = list(self._peers)
        for peer in peers:
            peer.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            peer = Peer(connection)
            with self._lock:
                full = len(self._peers) >= CONNECTIONS
                if not full:
                    self._peers.add(peer)
            if full:
                peer.end()
                continue
            threading.Thread(target=self._one, args=(peer,), name="gymboard-peer", daemon=True).start()

    def _one(self, peer: Peer) -> None:
        try:
            self._serve(peer)
        except PeerGone:
            pass
        except Exception as error:  # a fault of ours must not die with its thread
            self.fault = self.fault or error
        finally:
            peer.end()
            with self._lock:
                self._peers.discard(peer)


def _listening(path: Path) -> socket.socket:
    """A socket that every user of the sandbox may connect to; who may reach its folder is the folder's matter."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(f"/proc/self/fd/{folder}/{path.name}")  # the path itself may have 107 bytes only (unix(7))
        path.chmod(0o666)
        listening.listen(CONNECTIONS)
    except BaseException:
        listening.close()
        raise
    finally:
        os.close(folder)
    return listening

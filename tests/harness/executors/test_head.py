"""A head that is gone is noticed before Ray ends the process for it; one that pauses is not gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from harness.executors.head import RAY_WAITS, Head
from tests.harness.executors.side import until


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def address(listener: socket.socket) -> str:
    return f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_head_that_is_gone_is_lost_by_the_time_that_ray_gives_it(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RAY_WAITS, "0.2")
    hasty, unasked = Head(address(listener)), Head(address(listener))
    until(lambda: _looked(listener, hasty))
    listener.close()
    until(hasty.lost)
    assert not unasked.lost(), "silent for the first time, however long ago it was looked at"


def _looked(listener: socket.socket, head: Head) -> bool:
    """Whether a look of the head's has arrived."""
    assert not head.lost()
    listener.setblocking(False)
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True

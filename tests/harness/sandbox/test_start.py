"""A program beside the shell: it runs as the agent's user in the workspace, and stop() leaves nothing of it."""

from __future__ import annotations

import time

from harness.sandbox.base import Sandbox
from harness.sandbox.channel import Channel, ChannelClosed


def output(channel: Channel, limit_s: float = 60) -> bytes:
    data, deadline = b"", time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            data += b"".join(chunk for _, chunk in channel.receive(0.2))
        except ChannelClosed:
            return data
    raise AssertionError(f"the program's output has no end; so far {data!r}")


def code(channel: Channel) -> int | None:
    deadline = time.monotonic() + 10
    while channel.exit_code() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return channel.exit_code()


def test_a_program_runs_in_the_workspace_as_the_agents_user(box: Sandbox) -> None:
    user = box.exec("id -u", 10).stdout
    program = box.start(["bash", "-c", "pwd; id -u; ls; exit 7"])
    assert output(program).decode().splitlines() == [box.exec("pwd", 10).stdout.strip(), user.strip(), *_listed(box)]
    assert code(program) == 7
    program.close()


def _listed(box: Sandbox) -> list[str]:
    return box.exec("ls", 10).stdout.split()


def test_stop_ends_all_of_it_and_the_shell_goes_on_where_it_was(box: Sandbox) -> None:
    box.exec("cd src && export KEPT=yes", 10)
    stubborn = "trap '' TERM INT HUP; (setsid sleep 3000 &) ; echo begun; sleep 3000"
    program = box.start(["bash", "-c", stubborn])
    while b"begun" not in b"".join(data for _, data in program.receive(5)):
        pass
    box.stop()
    output(program, 10)
    program.close()
    assert box.exec("echo $KEPT; basename $PWD", 10).stdout.split() == ["yes", "src"]
    alive = box.exec("for f in /proc/[0-9]*/comm; do cat $f; done 2>/dev/null", 10).stdout.split()
    assert alive.count("sleep") == (1 if box.kind == "docker" else 0), "only the container's own"


def test_there_is_a_loopback_to_listen_on(box: Sandbox) -> None:
    listen = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())"
    result = box.exec(f'python3 -c "{listen}"', 20)
    assert result.exit_code == 0, result.stderr

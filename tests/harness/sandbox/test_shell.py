from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from harness.sandbox.base import BoxSpec, Engine, Sandbox
from tests.harness.sandbox.kinds import CONTAINERS, NO_DEVICES


def test_folder_and_environment_survive(box: Sandbox) -> None:
    box.exec("mkdir deep; cd deep; export A=$'one\\ntwo'; B=plain; f() { echo f-$1; }", 10)
    found = box.exec('basename "$PWD"; echo "$A"; echo $B; f x', 10)
    assert found.stdout == "deep\none\ntwo\nplain\nf-x\n"


def test_streams_and_exit_codes_stay_apart(box: Sandbox) -> None:
    found = box.exec("echo out; echo err >&2; (exit 7)", 10)
    assert (found.stdout, found.stderr, found.exit_code, found.note) == ("out\n", "err\n", 7, None)


def test_declarations_are_global(box: Sandbox) -> None:
    box.exec("declare -A table=([k]=v); declare n=3", 10)
    assert box.exec('echo "${table[k]} $n"', 10).stdout == "v 3\n"


def test_the_starter_and_the_mount_are_there(box: Sandbox) -> None:
    found = box.exec('cat baseline.py src/model.py "$GYMBOARD_DATA/train.csv"; echo $GYMBOARD_ROWS', 10)
    assert found.stdout == "print('baseline')\nx = 1\nid,y\n1,2\n7\n"


def test_the_family_python_runs(box: Sandbox) -> None:
    found = box.exec("python -c 'import numpy, scipy, sklearn, pandas; print(numpy.arange(3).sum())'", 60)
    assert (found.stdout, found.exit_code) == ("3\n", 0), found.stderr


def test_big_output_keeps_head_and_tail(box: Sandbox) -> None:
    found = box.exec("echo first; head -c 50000000 /dev/zero | tr '\\0' x; echo; echo last", 60)
    assert found.stdout.startswith("first\n") and found.stdout.endswith("x\nlast\n")
    assert len(found.stdout) < 70_000 and found.dropped_bytes > 49_900_000
    assert f"{found.dropped_bytes} bytes left out" in found.stdout


def test_binary_output_breaks_nothing(box: Sandbox) -> None:
    found = box.exec("head -c 200000 /dev/urandom; printf '\\036\\036\\000'; head -c 100 /dev/urandom >&2", 20)
    assert found.exit_code == 0
    assert box.exec("echo fine", 10).stdout == "fine\n"


NO_BASH = ("echo 'open", "(echo a", "echo a |", 'x="', "}; echo ran; {", "echo ran; }", "if true; then echo ran")


def test_a_syntax_error_runs_nothing_and_does_not_hang(box: Sandbox) -> None:
    for command in NO_BASH:
        found = box.exec(command, 10)
        assert (found.stdout, found.exit_code, found.timed_out) == ("", 2, False), command
        assert "syntax" in (found.note or "") and "bash" in found.stderr, command
        assert box.exec("echo on", 10).stdout == "on\n", command


GOOD_BASH = {
    "cat <<X\nbody\nX": "body\n",
    "cat <<X\n}\n$(echo in)\nX\necho ${HOME:+set} # }": "}\nin\nset\n",
    "echo a \\\n b": "a b\n",
    "echo a \\": "a \\\n",
    "# only a comment": "",
    "": "",
    "for i in 1 2; do echo $i; done; f() { echo f; }; f": "1\n2\nf\n",
    "exec >gone; echo to-file": "",
}


def test_what_is_good_bash_runs(box: Sandbox) -> None:
    for command, stdout in GOOD_BASH.items():
        found = box.exec(command, 10)
        assert (found.stdout, found.exit_code, found.note) == (stdout, 0, None), (command, found.stderr)


def test_a_redirection_does_not_outlive_its_command(box: Sandbox) -> None:
    box.exec("exec >swallowed 2>&1", 10)
    assert box.exec("echo seen", 10).stdout == "seen\n"


def test_an_ended_shell_is_replaced(box: Sandbox) -> None:
    for command, codes in {"exit 3": {3}, "exec true": {0}, "set -e; false": {1}, "kill -9 $$": {-9, 137}}.items():
        box.exec(f"mkdir -p 'a b'; cd 'a b'; export KEPT='it is' BEFORE='{command}'", 10)
        found = box.exec(command, 20)
        assert found.exit_code in codes, command
        assert "a new shell has your folder" in (found.note or "") and not found.timed_out, command
        assert box.exec('basename "$PWD"; echo $KEPT $BEFORE', 10).stdout == f"a b\nit is {command}\n"


def test_killing_the_parent_is_survived(box: Sandbox) -> None:
    box.exec("export KEPT=yes", 10)
    box.exec("kill -9 $PPID", 20)
    box.exec("true", 20)
    assert box.exec("echo $KEPT", 20).stdout == "yes\n"


def test_kill_everyone_reaches_only_the_place(box: Sandbox) -> None:
    # The guard is in the command itself: without a process namespace it would reach this very machine.
    here = Path("/proc/self/ns/pid").readlink()
    guarded = f'export KEPT=yes; [ "$(readlink /proc/self/ns/pid)" != "{here}" ] || exit 9'
    if box.exec(guarded, 10).exit_code == 9:
        pytest.skip("without root the local sandbox has no process namespace (harness/sandbox/local.py)")
    bystander = subprocess.Popen(["sleep", "30"])
    box.exec(f"{guarded}; sleep 20 & kill -9 -1", 20)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    assert box.exec("echo $KEPT", 20).stdout == "yes\n"


def test_commands_read_an_empty_input(box: Sandbox) -> None:
    assert box.exec("cat; read line; echo $?", 10).stdout == "1\n"


def test_the_limit_ends_the_command_and_keeps_the_shell(box: Sandbox) -> None:
    box.exec("sleep 300 & echo $! >server; local_name=kept", 10)
    time.sleep(0.3)
    begun = time.monotonic()
    found = box.exec("echo before; sleep 100; echo after", 2)
    assert found.timed_out and found.exit_code is None and time.monotonic() - begun < 6
    assert found.stdout.startswith("before\n") and "longer than 2 s" in (found.note or "")
    assert box.exec("echo $local_name; kill -0 $(cat server) && echo served", 10).stdout == "kept\nserved\n"


@pytest.mark.parametrize(
    "command",
    [
        "trap '' TERM INT HUP; while :; do sleep 1; done",
        "while :; do :; done",
        "bash -c 'trap \"\" TERM INT; while :; do :; done' & wait",
        "set -n",
        "exec 251>&- 252>&-",
        "python -c 'import os, time; os.setsid(); time.sleep(100)' | cat",
    ],
)
def test_what_does_not_want_to_end_is_ended(box: Sandbox, command: str) -> None:
    box.exec("export KEPT=yes", 10)
    begun = time.monotonic()
    found = box.exec(command, 1)
    assert found.timed_out or command == "set -n" or found.note
    assert time.monotonic() - begun < 15
    after = box.exec("echo $KEPT", 2)
    if after.timed_out:
        after = box.exec("echo $KEPT", 10)
    assert after.stdout == "yes\n"


@pytest.mark.parametrize("engine", CONTAINERS, indirect=True)
@pytest.mark.parametrize("wait", ["", " & sleep 0.5"])
def test_a_fork_bomb_is_survived(box: Sandbox, wait: str) -> None:
    box.exec("echo work >work; export KEPT=yes", 10)
    begun = time.monotonic()
    box.exec("bomb() { bomb | bomb & }; bomb" + wait, 3)
    for _ in range(3):
        found = box.exec("cat work; echo $KEPT", 5)
        if found.stdout == "work\nyes\n":
            break
    assert found.stdout == "work\nyes\n", found
    assert time.monotonic() - begun < 90
    assert box.copy_out([("work", 100)]) == {"work": b"work\n"}


def test_a_background_child_that_holds_the_streams_open_does_not_hang(box: Sandbox) -> None:
    begun = time.monotonic()
    assert box.exec("sleep 60 & echo started", 20).stdout == "started\n"
    assert box.exec("(setsid sleep 61 &); echo again", 20).stdout == "again\n"
    assert time.monotonic() - begun < 5


def test_a_background_flood_does_not_hang(box: Sandbox) -> None:
    box.exec("yes flood &", 10)
    found = box.exec("echo here; kill %1 || kill $!", 20)
    assert "here\n" in found.stdout and not found.timed_out


FORGE = r"""
import os
import subprocess
os.write(1, b"\x1e" + os.environ["NONCE"].encode() + b" 0 run\x1e")
os.write(2, b"\x1e" + os.environ["NONCE"].encode() + b" / evil\x1e")
"""


def test_a_forged_mark_confuses_only_its_own_command(box: Sandbox) -> None:
    box.write("forge.py", FORGE.encode())
    begun = time.monotonic()
    box.exec("NONCE=$__gymboard_nonce python forge.py; sleep 1; echo late; exit 5", 20)
    after = [box.exec("echo mine; echo yours >&2", 20) for _ in range(3)]
    assert after[-1].stdout == "mine\n" and after[-1].stderr == "yours\n" and after[-1].exit_code == 0
    assert time.monotonic() - begun < 20


def test_a_forged_mark_without_an_end_is_bounded(box: Sandbox) -> None:
    found = box.exec("printf '\\036%s ' $__gymboard_nonce; head -c 3000000 /dev/zero | tr '\\0' a", 3)
    assert len(found.stdout) < 70_000
    assert box.exec("echo on", 10).stdout == "on\n"


def test_a_thousand_commands_never_mix_their_streams(box: Sandbox) -> None:
    for n in range(1000):
        command = f"echo o{n}; echo e{n} >&2" if n % 2 else f"/bin/echo o{n}; /bin/echo e{n} >&2"
        found = box.exec(command, 20)
        assert (found.stdout, found.stderr) == (f"o{n}\n", f"e{n}\n")


def test_a_long_command_arrives_whole(box: Sandbox) -> None:
    text = "".join(chr(33 + n % 90) for n in range(300_000)).replace("'", "-").replace("\\", "/")
    assert box.exec(f"printf %s '{text}' | wc -c", 30).stdout.strip() == "300000"


def test_a_nul_is_refused(box: Sandbox) -> None:
    assert "NUL" in (box.exec("echo a\0b", 5).note or "")


def test_the_starter_arrives_as_it_is(engine: Engine, starter: Path) -> None:
    content = os.urandom(1 << 20)  # more than any pipe holds
    (starter / "big").write_bytes(content)
    (starter / "empty").mkdir()
    (starter / "run me\n.sh").write_text("echo it runs")
    (starter / "run me\n.sh").chmod(0o755)
    with engine.sandbox(BoxSpec("cpu", starter)) as box:
        owned = "for f in * src/*; do [ -O $f ] && [ -w $f ] || echo $f is not ours; done"
        found = box.exec(f"IFS=; {owned}; ls -A | wc -l; ./run*; sha256sum <big; ls -A empty | wc -l", 30)
    assert found.stdout.split() == ["6", "it", "runs", hashlib.sha256(content).hexdigest(), "-", "0"], found


def test_there_is_no_network(box: Sandbox) -> None:
    if box.kind == "local" and os.geteuid() != 0:
        pytest.skip("without root the local sandbox cannot take the network away (harness/sandbox/local.py)")
    found = box.exec("cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '", 10)
    assert set(found.stdout.split()) <= NO_DEVICES
    script = "import socket; socket.create_connection(('192.0.2.1', 80), 3)"
    assert "unreachable" in box.exec(f'python -c "{script}"', 20).stderr
    script = "import socket; print(socket.gethostbyname('localhost'))"
    assert box.exec(f'python -c "{script}"', 20).stdout == "127.0.0.1\n"


def test_the_host_environment_does_not_leak(box: Sandbox, request: pytest.FixtureRequest) -> None:
    found = box.exec("env | cut -d= -f1", 10)
    allowed = {"PATH", "HOME", "LANG", "PWD", "SHLVL", "_", "OLDPWD", "HOSTNAME", "OMP_NUM_THREADS", "TMPDIR"}
    allowed |= {"VIRTUAL_ENV", "GYMBOARD_DATA", "GYMBOARD_ROWS", "GYMBOARD_PLACE", "PYTHONUNBUFFERED"}
    allowed |= {
        "PYTHONDONTWRITEBYTECODE",
        "PIP_CERT",
        "GPG_KEY",
        "PYTHON_VERSION",
        "PYTHON_SHA256",
        "PYTHON_PIP_VERSION",
    }
    by_podman = {"TERM", "container"} if request.node.callspec.params["engine"] == "podman" else set()
    assert set(found.stdout.split()) <= allowed | by_podman


@pytest.mark.parametrize("engine", CONTAINERS, indirect=True)
def test_the_container_is_bare(box: Sandbox) -> None:
    script = """
    id -u; ls /mnt; grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status | tr -d '\\t'
    grep -E 'Cap(Prm|Eff|Bnd)' /proc/1/status | tr -d '\\t'; tr '\\0' ' ' </proc/1/cmdline | cut -d' ' -f1
    touch /mnt/data/x 2>&1; touch /x 2>&1; stat -f -c %T /workspace
    """
    found = box.exec(script, 10).stdout
    assert found.startswith("1000\ndata\n")
    assert (
        found.count("0000000000000000") == 6 and "NoNewPrivs:1" in found and re.search("docker-init|podman-init", found)
    )
    assert "Read-only file system" in found and "Permission denied" in found and "tmpfs" not in found

from __future__ import annotations

import hashlib
import os
import shlex
import time

import pytest

from harness.errors import InvalidArtifact
from harness.sandbox.base import Sandbox
from harness.sandbox.copyout import BASE_LIMIT_S
from tests.harness.sandbox.kinds import CONTAINERS

MIB = 1 << 20


def test_bytes_come_out_as_they_are(box: Sandbox) -> None:
    box.exec("head -c 3000000 /dev/urandom >big; mkdir -p d/e; printf 'a\\nb' >d/e/$'new\\nline'; : >empty", 10)
    taken = box.copy_out([("big", 4 * MIB), ("d/e/new\nline", 10), ("empty", 0)])
    assert taken["d/e/new\nline"] == b"a\nb" and taken["empty"] == b"" and len(taken["big"]) == 3_000_000
    digest = box.exec("sha256sum big | cut -d' ' -f1", 10).stdout.strip()
    assert hashlib.sha256(taken["big"]).hexdigest() == digest


NO_PLAIN_FILE = (
    ("true", "none.csv", "does not exist"),
    ("ln -s /etc/passwd file", "file", "symbolic link"),
    ("ln -s baseline.py file", "file", "symbolic link"),
    ("ln -s src link", "link/model.py", "links are not followed"),
    ("ln -s /etc link", "link/passwd", "links are not followed"),
    ("ln -s file file", "file", "symbolic link"),
    ("echo x >real; ln real file", "file", "hard links"),
    ("mkfifo file", "file", "FIFO"),
    ("mkdir file", "file", "a folder"),
    ("python -c \"import socket; socket.socket(socket.AF_UNIX).bind('file')\"", "file", "socket"),
    ("truncate -s 5G file", "file", "at most 1048576"),
    ("head -c 1048577 /dev/zero >file", "file", "at most 1048576"),
    ("true", "../starter/baseline.py", "relative and plain"),
    ("true", "/etc/passwd", "relative and plain"),
    ("true", "src/./model.py", "relative and plain"),
    ("true", "", "relative and plain"),
    ("true", "baseline.py/x", "not a folder"),
    ("echo x >file; chmod 000 file", "file", "cannot be opened"),
)
"""How it is made, what is asked for, why it is refused."""


def test_everything_but_a_plain_file_is_refused(box: Sandbox) -> None:
    for make, path, why in NO_PLAIN_FILE:
        if "chmod 000" in make and box.kind == "local" and os.geteuid() == 0:
            continue  # the harness reads a local workspace itself, and root may open anything
        assert box.exec(f"rm -rf file link real && {make}", 20).exit_code == 0, make
        begun = time.monotonic()
        with pytest.raises(InvalidArtifact, match=why):
            box.copy_out([(path, MIB)])
        assert time.monotonic() - begun < 10, make


def test_one_bad_file_refuses_the_artifact(box: Sandbox) -> None:
    with pytest.raises(InvalidArtifact, match=r"missing\.npz"):
        box.copy_out([("baseline.py", MIB), ("missing.npz", MIB)])
    assert box.copy_out([("baseline.py", MIB)]) == {"baseline.py": b"print('baseline')\n"}


GROW = "(while :; do echo more >>file; done) & sleep 0.2"
SWAP = """head -c 500000 /dev/zero >plain
(while :; do cp plain file; ln -sf /etc/passwd file2; mv -f file2 file; done) 2>/dev/null & sleep 0.2"""


@pytest.mark.parametrize("race", [GROW, SWAP])
def test_a_race_gives_a_plain_file_or_a_refusal(box: Sandbox, race: str) -> None:
    box.exec(race, 10)
    outcomes = set()
    for _ in range(8):
        try:
            content = box.copy_out([("file", MIB)])["file"]
            outcomes.add("content")
            assert b"root:" not in content and set(content) <= set(b"more\n\0")
        except InvalidArtifact:
            outcomes.add("refused")
    assert outcomes


@pytest.mark.parametrize("engine", CONTAINERS, indirect=True)
@pytest.mark.parametrize("number", ["9", "STOP"])
def test_an_agent_that_kills_the_helper_is_outlived(box: Sandbox, number: str) -> None:
    hunt = f"""(while :; do for p in /proc/[0-9]*; do read -r c <$p/comm
      [ "$c" = python3 ] && kill -{number} ${{p#/proc/}}; done; done) 2>/dev/null &"""
    box.exec(f"export KEPT=yes; {hunt}", 10)
    assert box.copy_out([("baseline.py", MIB)]) == {"baseline.py": b"print('baseline')\n"}
    assert box.exec("echo $KEPT; pwd", 10).stdout == "yes\n/workspace\n"


FORGER = """
import os, signal, sys
line, seen = sys.argv[1].encode() + b"\\n", set()
open("forging", "w").close()
while True:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if pid not in seen and open(f"/proc/{pid}/cmdline", "rb").read().startswith(b"python3\\0-I"):
                seen.add(pid)
                os.kill(int(pid), signal.SIGSTOP)
                with open(f"/proc/{pid}/fd/1", "wb", buffering=0) as out:
                    out.write(line)
                    while sys.argv[2:]:
                        out.write(line * 20)
        except OSError:
            pass
"""


def forge(box: Sandbox, *arguments: str) -> None:
    """From now on the agent stops each helper and speaks in its name: one line, or lines without end."""
    box.write("forger.py", FORGER.encode())
    begin = f"rm -f forging; setsid python3 forger.py {shlex.join(arguments)} >/dev/null 2>&1 &"
    begun = box.exec(f"{begin} until [ -e forging ]; do sleep 0.02; done", 60)
    assert begun.exit_code == 0, begun


@pytest.mark.parametrize("engine", CONTAINERS, indirect=True)
def test_a_refusal_in_the_helpers_name_is_a_printable_line(box: Sandbox) -> None:
    for _ in range(20):  # a helper may be done before the agent has seen it
        forge(box, r'{"refused": "\ud800\u001b[2J\nevil", "size": 0}')
        try:
            assert box.copy_out([("baseline.py", MIB)]) == {"baseline.py": b"print('baseline')\n"}
        except InvalidArtifact as refused:
            assert str(refused) == "artifact 'baseline.py' is refused: ??[2J?evil"
            return
    pytest.fail("no forger was faster than a helper")


@pytest.mark.parametrize("engine", CONTAINERS, indirect=True)
@pytest.mark.parametrize(
    "forged",
    [
        (r'{"change": "special", "path": "a", "kind": "\ud800", "size": 0}', "endless"),
        ('{"size": 0}',),
        ('{"change": ["text"], "size": 0}',),
        ('{"change": "deleted", "path": "nothing", "size": 0}', "endless"),
    ],
)
def test_a_survey_in_the_helpers_name_ends_and_is_text(box: Sandbox, forged: tuple[str, ...]) -> None:
    forge(box, *forged)
    begun = time.monotonic()
    patch = box.workspace_patch(10_000)
    assert len(patch.encode()) < 10_100
    assert time.monotonic() - begun < 2 * BASE_LIMIT_S + 20, "asked twice, with a restart in between"


def test_write_makes_and_replaces_files(box: Sandbox) -> None:
    box.write("new/folder/file.py", b"\x00\xffbytes")
    box.write("baseline.py", b"print('new')\n")
    assert box.copy_out([("new/folder/file.py", 100)]) == {"new/folder/file.py": b"\x00\xffbytes"}
    found = box.exec("python baseline.py; echo more >>new/folder/file.py && echo writable", 20)
    assert found.stdout == "new\nwritable\n"


def test_write_follows_no_link(box: Sandbox) -> None:
    box.exec("mkdir out; ln -s $PWD/out link; ln -s $PWD/src/model.py file", 10)
    with pytest.raises(InvalidArtifact, match="link"):
        box.write("link/x", b"x")
    box.write("file", b"mine")
    assert box.exec("cat src/model.py; ls out; cat file", 10).stdout == "x = 1\nmine"
    with pytest.raises(InvalidArtifact, match="relative"):
        box.write("../x", b"x")


def test_the_patch_shows_text_and_names_the_rest(box: Sandbox) -> None:
    box.exec("echo 'print(2)' >>baseline.py; rm src/model.py; echo new >added.txt; head -c 400000 /dev/zero >big", 10)
    box.exec(
        "ln -s /etc/passwd link; mkfifo pipe; printf 'a\\0b' >binary; mkdir __pycache__; echo x >__pycache__/c", 10
    )
    patch = box.workspace_patch(100_000)
    assert "+print(2)\n" in patch and "-x = 1\n" in patch and "+++ /dev/null" in patch and "+new\n" in patch
    for named in ("# big:", "# link: a symbolic link", "# pipe: a FIFO", "# binary:"):
        assert named in patch
    assert "root:" not in patch and "__pycache__" not in patch


def test_the_patch_is_capped(box: Sandbox) -> None:
    box.exec("seq 1 30000 >numbers; for n in $(seq 300); do echo $n >file$n; done", 20)
    patch = box.workspace_patch(5_000)
    assert len(patch) < 5_100 and "more bytes]" in patch


def test_an_untouched_workspace_has_no_patch(box: Sandbox) -> None:
    assert box.workspace_patch(1000) == ""


@pytest.mark.parametrize("engine", CONTAINERS, indirect=True)
def test_a_helper_is_kept_and_replaced(box: Sandbox) -> None:
    """What an agent ends in passing costs it nothing: the next question has its answer, its shell goes on."""
    box.write("a", b"first")
    box.write("b", b"second")
    every = (
        """n=0; for p in /proc/[0-9]*; do read -r c <$p/comm; [ "$c" = python3 ] && n=$((n + 1)) && {}; done; echo $n"""
    )
    assert box.exec(every.format("true"), 10).stdout == "1\n", "one for both questions"
    assert box.exec("plain=unset; " + every.format("kill -9 ${p#/proc/}"), 10).stdout == "1\n"
    assert box.copy_out([("a", 10), ("b", 10)]) == {"a": b"first", "b": b"second"}
    assert box.exec("echo $plain", 10).stdout == "unset\n", "a variable that no restart would bring back"

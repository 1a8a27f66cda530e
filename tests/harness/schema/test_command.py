"""The class of a shell command: what is called looking changes no file, tried in a real bash."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.schema.command import command_class

PIECES = ["ls", "cat x", "find .", "echo", "head x", "touch y", "rm x", "-delete", "-exec rm x ';'", "x", "'", '"']
PIECES += [
    " ",
    " ",
    " ",
    ";",
    "|",
    "&&",
    "&",
    ">",
    ">y",
    "<",
    "2>/dev/null",
    "2>&1",
    "#",
    "\\",
    "\n",
    "$",
    "$(",
    "${",
    "`",
]
PIECES += ["(", ")", "{", "}", "!", "=", "touch y;", "$'", "*", "\t"]


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("ls -la $GYMBOARD_DATA", "View"),
        ("cd src && cat train.py | head -50", "View"),
        ("ls missing 2>/dev/null; pwd", "View"),
        ("find . -name '*.py'", "Search"),
        ("cat train.py | grep -n loss", "Search"),
        ("python train.py > log.txt", "Python"),
        (" python3.11 -c 'open(1)'", "Python"),
        ("torchrun --standalone train.py", "Python"),
        ("cat > train.py <<'EOF'\nlr = 1\nEOF", "Bash"),
        ("sed -i s/1/2/ train.py", "Bash"),
        ("ls\nrm train.py", "Bash"),
        ("ls a#; rm train.py", "Bash"),
        ("find . -name '*.pt' -delete", "Bash"),
        ("find . -execdir rm {} +", "Bash"),
        ("cat train.py | tee copy.py", "Bash"),
        ("echo $(rm train.py)", "Bash"),
        ("cat <(rm train.py)", "Bash"),
        ("ls & rm train.py", "Bash"),
        ("ls 2>&1file", "Bash"),
        ("PATH=. ls", "Bash"),
        ("pythonista", "Bash"),
        ("cd src && python train.py", "Bash"),
        ("echo 'open quotation", "Bash"),
        ("", "Bash"),
        (" ; ", "Bash"),
    ],
)
def test_classes(command: str, kind: str) -> None:
    assert command_class(command) == kind


@settings(max_examples=400)
@example("ls $'\\'' ; touch y #'")
@example('echo "\\" ; touch y ; "')
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join) | st.text(max_size=12).map("ls ".__add__))
def test_what_only_looks_changes_nothing(command: str) -> None:
    if command_class(command) not in ("View", "Search") or "\0" in command:
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x").write_text("x")
        command_line = ["bash", "--norc", "-c", command]
        env = {"HOME": folder, "PATH": "/usr/bin:/bin"}
        subprocess.run(command_line, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        assert [(path.name, path.read_text()) for path in Path(folder).iterdir()] == [("x", "x")]

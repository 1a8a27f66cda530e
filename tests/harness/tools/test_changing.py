"""create, edit and insert: exact bytes, no link followed, no Python file broken without being told."""

from __future__ import annotations

import os
from collections.abc import Callable

from harness.tools import lint
from harness.tools.base import ToolState
from tests.harness.tools.conftest import Use

Bash = Callable[[str], str]


def test_an_edit_replaces_exactly_its_lines(use: Use, bash: Bash) -> None:
    use("open", path="src/model.py")
    told = use("edit", start=5, end=5, text="    y = x * 2\n    return y")
    assert told.text.splitlines()[0] == "[src/model.py: changed, 6 lines now]" and "6:     return y" in told.text
    assert bash("cat src/model.py") == "import os\n\n\ndef score(x):\n    y = x * 2\n    return y\n"
    use("edit", start=1, end=3, text="")
    use("insert", line=0, text="# top\n")
    assert bash("cat src/model.py") == "# top\ndef score(x):\n    y = x * 2\n    return y\n"


def test_a_program_stays_executable(use: Use, bash: Bash) -> None:
    bash(r"printf '#!/bin/sh\necho one\n' > run.sh; chmod 4750 run.sh; ln -s run.sh link.sh")
    assert use("edit", path="run.sh", start=2, end=2, text="echo two").exit_code == 0
    assert use("insert", path="run.sh", line=2, text="echo three").exit_code == 0
    assert bash("./run.sh; stat -c %a run.sh").split() == ["two", "three", "754"], "executable, never set-user-id"
    assert use("create", path="run.sh", text="#!/bin/sh\necho four\n", overwrite=True).exit_code == 0
    assert use("create", path="link.sh", text="echo five\n", overwrite=True).exit_code == 0
    assert bash("./run.sh; stat -c %a link.sh").split() == ["four", "644"], "a link's target lends it nothing"


def test_line_ends_and_the_missing_last_one_stay(use: Use, bash: Bash) -> None:
    bash(r"printf 'a\r\nb\r\nc' > dos.txt; printf 'a\377\nb' > odd.txt; : > empty.txt")
    use("edit", path="dos.txt", start=3, end=3, text="d\n")
    use("insert", path="dos.txt", line=1, text="new")
    assert bash("od -An -c dos.txt").split() == ["a", r"\r", r"\n", "n", "e", "w", r"\r", r"\n", "b", r"\r", r"\n", "d"]
    use("insert", path="odd.txt", line=2, text="c")
    assert bash("od -An -c odd.txt").split() == ["a", "377", r"\n", "b", r"\n", "c", r"\n"]
    assert use("edit", path="empty.txt", start=1, end=1, text="x").text.endswith("it has 0 lines")
    assert use("insert", path="empty.txt", line=0, text="x").exit_code == 0


def test_an_edit_that_breaks_python_is_rejected_and_shown(use: Use, bash: Bash) -> None:
    before = bash("cat src/model.py")
    told = use("edit", path="src/model.py", start=5, end=5, text="    return (x + 1")
    assert told.exit_code == 1 and "line 5: '(' was never closed" in told.text
    would_be, still = told.text.split("[it still is]")
    assert "5:     return (x + 1" in would_be and "5:     return x + 1" in still
    assert bash("cat src/model.py") == before
    assert use("insert", path="src/model.py", line=0, text=" indented").exit_code == 1
    assert use("edit", path="numbers.txt", start=1, end=1, text="def (").exit_code == 0, "no Python, no lint"


def test_a_broken_file_can_be_mended_step_by_step(use: Use) -> None:
    told = use("create", path="new/broken.py", text="def f(:\n    pass\ndef g(:\n    pass\n")
    assert told.exit_code == 0 and "not valid Python yet: line 1" in told.text
    assert use("edit", start=1, end=1, text="def f():").exit_code == 0
    assert use("edit", start=3, end=3, text="def g():").exit_code == 0
    assert use("edit", start=1, end=1, text="def f(:").exit_code == 1


def test_create_takes_no_file_away_by_mistake(use: Use, bash: Bash) -> None:
    assert "is there already" in use("create", path="numbers.txt", text="x").text
    bash("ln -s nowhere dangling")
    assert use("create", path="dangling", text="x").exit_code == 1
    assert use("create", path="numbers.txt", text="x", overwrite=True).exit_code == 0
    assert bash("cat numbers.txt") == "x\n"


def test_only_the_workspace_can_be_changed(use: Use) -> None:
    for path in ("../x.py", "/etc/passwd", "src/../../x", ".", "src/..", "a\0b"):
        for told in (
            use("create", path=path, text="x", overwrite=True),
            use("edit", path=path, start=1, end=1, text="x"),
            use("insert", path=path, line=0, text="x"),
        ):
            assert told.exit_code == 1 and "\0" not in told.text, path


def test_no_link_is_followed_and_no_giant_is_read(use: Use, bash: Bash) -> None:
    bash("ln -s /etc/passwd linked; ln -s /tmp folder; ln numbers.txt twice; truncate -s 3G giant; mkfifo pipe")
    for path in ("linked", "folder/x", "twice", "giant", "pipe", "src"):
        told = use("edit", path=path, start=1, end=1, text="x")
        assert told.exit_code == 1 and "cannot be changed" in told.text, path
    assert use("create", path="folder/x.py", text="x").exit_code == 1
    bash("printf 'a\\0b\\n' > binary")
    assert "binary" in use("insert", path="binary", line=0, text="x").text


def test_a_parser_that_dies_is_replaced(use: Use, state: ToolState) -> None:
    assert use("create", path="deep.py", text="x = " + "(" * 50_000).exit_code == 0
    assert use("create", path="nul.py", text="x = '\0'").exit_code == 0
    assert lint.check_syntax(b"x = 1\n") is None
    linter = lint._of_process(os.getpid())
    assert linter._process is not None
    linter._process.kill()
    linter._process.wait()
    assert str(lint.check_syntax(b"x = \n")) == "line 1: invalid syntax"


def test_the_parser_limits_itself() -> None:
    hungry = b"x = [" + b"-1," * 30_000_000 + b"]\n"
    fault = lint.check_syntax(hungry)
    assert fault is not None and fault.line == 0
    assert lint.check_syntax(b"x = 1\n") is None
    assert lint.check_syntax(b"# coding: nonsense\n") is not None
    assert lint.check_syntax("# coding: latin-1\nx = 'ä'\n".encode("latin-1")) is None

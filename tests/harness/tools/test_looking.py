"""open, goto, scroll and the searches: bounded windows of anything that an agent may put under a name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.tools.base import ToolState
from tests.harness.tools.conftest import Use

Bash = Callable[[str], str]
BOUND = 70_000


def test_windows_walk_through_a_file(use: Use) -> None:
    first = use("open", path="numbers.txt").text.splitlines()
    assert first[0] == "[numbers.txt: 500 lines, 4392 bytes]"
    assert (first[1], first[-2], first[-1]) == ("1: line 1", "100: line 100", "(400 more lines below)")
    assert use("scroll").text.splitlines()[1:3] == ["(98 more lines above)", "99: line 99"]
    assert "300: line 300" in use("goto", line=300).text
    up = use("scroll", direction="up").text
    assert "281: line 281" in up and "282: line 282" not in up, "two lines of the window before are seen again"
    last = use("goto", line=10**9).text
    assert last.splitlines()[2] == "401: line 401" and last.endswith("500: line 500")


def test_paths_are_the_workspaces_wherever_the_shell_is(use: Use, bash: Bash, state: ToolState) -> None:
    bash("cd src && export PS1=x")
    assert "4: def score(x):" in use("open", path="src/model.py").text
    assert "4: def score(x):" in use("open", path=f"{state.box.workspace}/src/../src/model.py").text
    assert "1: id,y" in use("open", path="$GYMBOARD_DATA/train.csv").text
    assert use("open", path="nowhere.txt").text == "nowhere.txt: No such file or directory"
    assert use("open", path="src").text.startswith("src: it is a folder")


def test_nothing_is_open_at_first(use: Use) -> None:
    assert use("goto", line=3).exit_code == use("scroll").exit_code == 1
    assert use("search_file", term="x").text == "no file is open; call open first"


def test_what_is_no_text_file_is_named_and_not_waited_for(use: Use, bash: Bash) -> None:
    for kind in ("mkfifo odd", "ln -s /dev/zero odd", "ln -s odd odd", "printf '\\0x' > odd"):
        bash(f"rm -f odd; {kind}")
        assert use("open", path="odd").exit_code == 1, kind
        assert use("search_dir", term="x").exit_code == 0, kind


def test_a_link_to_text_is_read_with_the_agents_own_rights(use: Use, bash: Bash) -> None:
    bash("ln -s src/model.py alias")
    assert "def score" in use("open", path="alias").text
    assert use("open", path="/etc/shadow").text == "/etc/shadow: Permission denied"


def test_a_hundred_megabytes_are_a_window(use: Use, bash: Bash) -> None:
    bash("head -c 100000000 /dev/zero | tr '\\0' 'x' > wide; yes abcdefghi | head -c 100000000 > long")
    wide = use("open", path="wide")
    assert wide.exit_code == 0 and len(wide.text) < 600 and wide.text.endswith("[... the line goes on]")
    deep = use("open", path="long", line=9_999_000)
    assert "(9998999 more lines above)\n9999000: abcdefghi" in deep.text and "(901 more lines below)" in deep.text
    found = use("search_file", term="xx", path="wide").text
    assert found.startswith("1 line in 1 file") and len(found) < 800


def test_the_widest_characters_stay_within_the_bound(use: Use, bash: Bash) -> None:
    bash('python3 -c \'print("\\n".join(["\\U0001f9ea" * 400] * 200))\' > wide')
    bash("printf '\\033%.0s' {1..90000} > escapes")
    shown = use("open", path="wide")
    assert shown.exit_code == 0 and len(shown.text.encode()) < BOUND
    assert use("scroll").text.splitlines()[2].startswith(f"{shown.text.count(chr(10)) - 2}: ")
    assert use("open", path="escapes").exit_code == 0


def test_controls_and_directions_are_shown_by_their_code(use: Use, bash: Bash) -> None:
    bash(r"printf 'a\033[2Jb\tc\r\n\342\200\256evil\n\377\n' > odd.txt")
    lines = use("open", path="odd.txt").text.splitlines()
    assert lines[1:] == ["1: a<U+001B>[2Jb\tc<U+000D>", "2: <U+202E>evil", "3: \N{REPLACEMENT CHARACTER}"]


def test_hostile_names_are_shown_harmlessly_and_can_be_opened(use: Use, bash: Bash) -> None:
    bash(r"""printf 'inside\n' > $'a\033]0;x\a b\n'; printf 'x' > $'\377' """)
    bash(r"""printf 'quoted\n' > "it's \$HOME; rm -rf *" """)
    assert "\x1b" not in use("find_file", name="*").text
    assert "\x1b" not in use("search_dir", term="inside").text
    assert "inside" in use("open", path="a\x1b]0;x\x07 b\n").text
    assert "1: quoted" in use("open", path="it's $HOME; rm -rf *").text


def test_an_agent_that_breaks_its_own_shell_is_told(use: Use, bash: Bash) -> None:
    bash("python3() { echo nonsense; }; exec() { :; }; export PYTHONSTARTUP=/dev/zero PYTHONPATH=/nowhere")
    assert "line 1" in use("open", path="numbers.txt").text
    bash("(while :; do echo '{\"lines\": []}'; sleep 0.01; done) &")
    assert "line 1" in use("open", path="numbers.txt").text, "other programs write in between"
    bash("kill %1; ulimit -v 1000")
    assert use("open", path="numbers.txt").text.startswith("the files could not be looked at: ")


def test_searches_name_every_place(use: Use, bash: Bash) -> None:
    bash("mkdir -p deep/er .git; echo 'needle here' > deep/er/a.txt; echo needle > .git/config; ln -s / root")
    found = use("search_dir", term="needle").text
    assert found == "1 line in 1 file with 'needle'\ndeep/er/a.txt:1: needle here"
    assert use("search_dir", term="line 4", path=".").text.count("numbers.txt:") == 61, "60 lines and one count"
    assert use("search_file", term="return", path="src/model.py").text.endswith("src/model.py:5:     return x + 1")
    assert use("search_dir", term="no such thing").text.startswith("no line has")
    assert use("find_file", name="*.txt").text == "2 files of this name\nnumbers.txt\ndeep/er/a.txt"
    assert use("find_file", name="*.txt", path="deep").text.endswith("deep/er/a.txt")
    assert use("find_file", name="a", path="nowhere").text == "nowhere: there is no such folder"


def test_ten_thousand_files_are_counted_and_a_hundred_named(use: Use, bash: Bash) -> None:
    bash("mkdir many; cd many; for i in {1..10000}; do echo needle > file-$i.txt; done; cd ..")
    assert "9900 more" in use("find_file", name="file-*").text
    found = use("search_dir", term="needle", path="many").text
    assert found.startswith("10000 lines in 10000 files") and len(found) < BOUND


FORGED = {
    "beyond all numbers": '{"path":"a","lines":["x"],"first":1,"total":Infinity,"whole":true,"bytes":1,"names":[]}',
    "an exponent": '{"path":"a","lines":["x"],"first":1e999,"total":1e999,"whole":true,"bytes":1,"names":[]}',
    "half a surrogate": '{"path":"\\\\ud800","lines":["x"],"first":1,"total":1,"whole":true,"bytes":1}',
    "four thousand digits": '{"path":"a","lines":["x"],"first":%s,"total":1,"whole":true,"bytes":1}' % ("9" * 4000),
    "a circle of brackets": "[" * 60_000,
}


@pytest.mark.parametrize("answer", FORGED.values(), ids=FORGED)
def test_an_agent_that_answers_in_our_programs_place_is_refused(answer: str, use: Use, bash: Bash) -> None:
    """Its own python3 sees the mark, and says what it likes: never a fault of ours."""
    bash(
        "mkdir own; cat > own/python3 <<'END'\n#!/bin/bash\n"
        """mark=$(sed 's/.*"mark": "\\([0-9a-f]*\\)".*/\\1/' <<< "${@: -1}"); printf '\\n%s%b\\n' "$mark" '"""
        + answer
        + "'\nEND\nchmod +x own/python3; export PATH=$PWD/own:$PATH"
    )
    asked: list[tuple[str, dict[str, object]]] = [
        ("open", {"path": "numbers.txt"}),
        ("find_file", {"name": "n*"}),
        ("search_dir", {"term": "line"}),
        ("scroll", {}),
        ("edit", {"start": 1, "end": 1, "text": "x"}),
    ]
    assert [use(name, **arguments).exit_code for name, arguments in asked] == [1] * len(asked)

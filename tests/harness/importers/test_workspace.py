"""Files recovered from listings: windows, blank lines, rejected edits, and text that only looks like a listing."""

from __future__ import annotations

from harness.importers.traj import TrajStep
from harness.importers.workspace import Workspace, listings, recover

HOME = "/home/agent/workspace"


def step(number: int, action: str, observation: str) -> TrajStep:
    return TrajStep(number=number, thought="", action=action, observation=observation, duration_s=0)


def after(*steps: TrajStep) -> Workspace:
    *_, last = recover(steps)
    return last


def test_a_whole_listing_is_the_file_and_its_blank_lines_are_there() -> None:
    shown = f"[File: {HOME}/a.py (5 lines total)]\n1:x = 1\n2:\n4:    y\n"
    assert after(step(1, 'open "a.py"', shown)).files == {"a.py": "x = 1\n\n\n    y\n\n"}


def test_windows_complete_one_another_and_a_part_is_no_file() -> None:
    top = f"[File: {HOME}/a.py (4 lines total)]\n1:a\n2:b\n(2 more lines below)"
    bottom = f"[File: {HOME}/a.py (4 lines total)]\n(2 more lines above)\n3:c\n4:d"
    assert after(step(1, "open a.py", top)).files == {}
    assert after(step(1, "open a.py", top), step(2, "goto 3", bottom)).files == {"a.py": "a\nb\nc\nd\n"}


def test_an_edit_forgets_what_was_known_of_the_lines_it_moved() -> None:
    whole = f"[File: {HOME}/a.py (3 lines total)]\n1:a\n2:b\n3:c"
    window = f"[File: {HOME}/a.py (4 lines total)]\n1:a\n2:new\n(2 more lines below)\nFile updated."
    assert after(step(1, "open a.py", whole), step(2, "edit 2:2\nnew\nend_of_edit", window)).files == {}


def test_a_rejected_edit_leaves_the_file_as_it_was() -> None:
    before = f"[File: {HOME}/a.py (1 lines total)]\n1:a = 1"
    rejected = (
        f"Your proposed edit has introduced new syntax error(s).\n[File: {HOME}/a.py (1 lines total)]\n1:a = (\n---\n"
        f"This is the original code before your edit\n---\n{before}\n---\nYour changes have NOT been applied. Fix it."
    )
    space = after(step(1, "open a.py", before), step(2, "edit 1:1\na = (\nend_of_edit", rejected))
    assert space.files == {"a.py": "a = 1\n"} and space.changed("a.py") is None


def test_who_changed_what_and_put_it_back() -> None:
    first = f"[File: {HOME}/target.py (1 lines total)]\n1:a"
    other = f"[File: {HOME}/target.py (1 lines total)]\n1:b\nFile updated."
    back = f"[File: {HOME}/target.py (1 lines total)]\n1:a\nFile updated."
    steps = [step(1, "open target.py", first), step(2, "edit 1:1\nb\nend_of_edit", other)]
    assert after(*steps).changed("target.py") == 2
    assert after(*steps, step(3, "edit 1:1\na\nend_of_edit", back)).changed("target.py") is None
    assert after(step(1, "edit 1:1\nb\nend_of_edit", other)).changed("target.py") == 1, "nobody saw the original"


def test_lines_that_look_like_a_listing_are_not_taken_for_more() -> None:
    shown = f"[File: {HOME}/a.py (2 lines total)]\n1:[File: {HOME}/b.py (9 lines total)]\n2:1:x\n3:beyond\n1:again"
    found = list(listings(shown))
    assert [one.name for one in found] == ["a.py"]
    assert found[0].lines == {1: f"[File: {HOME}/b.py (9 lines total)]", 2: "1:x"}


def test_hostile_numbers_cost_nothing() -> None:
    shown = f"[File: {HOME}/a.py (99999999999999999999 lines total)]\n1:a\n99999999999:b"
    assert after(step(1, "open a.py", shown)).files == {}

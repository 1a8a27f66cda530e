"""Every tool is whole, known to the schema, and says what is wrong with a call in words that a model can act on."""

from __future__ import annotations

import pytest

from harness.schema.steps import TOOL_CLASSES, Action
from harness.tools.registry import TOOLS
from tests.harness.tools.conftest import Use

FILES = {"open", "goto", "scroll", "create", "edit", "insert", "search_dir", "search_file", "find_file"}


def test_tools_and_their_classes_agree() -> None:
    assert set(TOOLS) <= set(TOOL_CLASSES), "a tool without a class would be counted as no action"
    assert set(TOOLS) >= FILES
    assert Action(kind="tool", tool="edit").action_class == "Edit"


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_tool_has_a_schema_that_its_arguments_follow(name: str) -> None:
    tool = TOOLS[name]
    assert tool.help and all(each.get("description") for each in tool.parameters["properties"].values())
    assert tool.parameters["additionalProperties"] is False
    assert tool.faults({"nonsense": 1}) is not None


def test_a_wrong_call_says_what_would_be_right(use: Use) -> None:
    assert use("opne", path="x").text == "there is no tool 'opne'; did you mean open?"
    told = use("edit", path="numbers.txt", start="first", end=2, texts="x").text
    assert "start: " in told and "text: Field required" in told and "texts: " in told
    assert "It takes start (integer), end (integer), text (string), path (string, optional)" in told
    assert use("edit", path="numbers.txt", start="2", end=2.0, text="x").exit_code == 0, "as models write numbers"
    assert use("goto", line=-1).exit_code == use("goto", line=10**400).exit_code == 1
    assert len(use("edit", **{f"a{n}": 1 for n in range(1000)}).text) < 1500

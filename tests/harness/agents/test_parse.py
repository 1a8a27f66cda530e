"""From what a model writes to actions: whatever it is, an action or a reason that the model can act on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.agents.react.parse import CUT_OFF, forms, native_actions, text_actions
from harness.schema.calls import Reply, ReplyCall
from harness.schema.steps import Action

KNOWN = forms(None)


def native(name: str, arguments: str, **more: str) -> Action:
    reply = Reply(text="thinking", calls=(ReplyCall(id="c1", name=name, arguments=arguments),), **more)
    (action,) = native_actions(reply, KNOWN)
    return action


def text(words: str, **more: str) -> Action:
    (action,) = text_actions(Reply(text=words, **more), KNOWN)
    return action


def test_calls_become_actions() -> None:
    assert native("bash", '{"command": "ls"}') == Action(kind="bash", command="ls", thought="thinking", call_id="c1")
    assert native("validate", "").kind == "validate" and native("submit", "{}").kind == "submit"
    edit = native("edit", '{"start": 1, "end": "2", "text": "x\\n"}')
    assert (edit.kind, edit.tool, edit.arguments["text"]) == ("tool", "edit", "x\n")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("bash", '{"command": "ls"', "the arguments of bash are not JSON"),
        ("bash", '["ls"]', "must be a JSON object"),
        ("bash", "{}", "bash: command: Field required. It takes command (string)"),
        ("bash", '{"command": ""}', "at least 1 character"),
        ("bash", '{"command": "x\\ud800"}', "bash: command: "),
        ("shell", '{"command": "ls"}', "there is no tool 'shell'"),
        ("Bash", '{"command": "ls"}', "did you mean bash?"),
        ("goto", '{"line": NaN}', "NaN is no number of JSON"),
        ("goto", f'{{"line": {"9" * 5000}}}', "the arguments of goto are not JSON"),
        ("goto", '{"line": 12345678901234567890}', "goto: line: "),
        ("edit", '{"start": 1, "end": 1, "text": "x", "lines": 3}', "edit: lines: Extra inputs are not permitted"),
        ("submit", '{"final": true}', "It takes no arguments"),
        ("bash", "[" * 100_000, "the arguments of bash are not JSON"),
        ("x" * 10_000, "{}", "there is no tool"),
    ],
)
def test_a_malformed_call_says_what_would_be_right(name: str, arguments: str, said: str) -> None:
    action = native(name, arguments)
    assert action.kind == "none" and said in action.command and len(action.command) < 1500
    assert action.call_id == "c1"


def test_an_answer_that_was_cut_off_is_told_so() -> None:
    assert CUT_OFF in native("create", '{"path": "a", "text": "one two', finish="length").command
    assert native_actions(Reply(text="Let me", finish="length"), KNOWN)[0].command == CUT_OFF
    assert "there was no tool call" in native_actions(Reply(text="I am done."), KNOWN)[0].command
    assert text("```bash\nls", finish="length").command == CUT_OFF


def test_several_calls_are_several_actions_in_order() -> None:
    calls = tuple(ReplyCall(id=str(n), name="bash", arguments=f'{{"command": "echo {n}"}}') for n in range(3))
    actions = native_actions(Reply(text="three", reasoning="why", calls=calls), KNOWN)
    assert [action.command for action in actions] == ["echo 0", "echo 1", "echo 2"]
    assert [action.thought for action in actions] == ["three", "", ""]
    assert [action.reasoning for action in actions] == ["why", "", ""]


def test_the_text_protocol_has_one_block() -> None:
    assert text("First look.\n```bash\nls -la\ncat x\n```\n").command == "ls -la\ncat x"
    edit = text("```edit\nstart: 3\nend: 4\npath: a b.py\n---\n    x = 1\n\n---\n    y\n```")
    assert edit.arguments == {"start": "3", "end": "4", "path": "a b.py", "text": "    x = 1\n\n---\n    y"}
    assert text("```create\r\npath: x\r\n---\r\na\r\n```\r\n").arguments == {"path": "x", "text": "a"}
    fenced = text("````create\npath: r.md\n---\n# x\n```python\ny\n```\n````")
    assert fenced.arguments["text"] == "# x\n```python\ny\n```"
    assert text("For example\n```python\nx = 1\n```\nso\n```submit\n```").kind == "submit"
    assert text("```scroll\n```").arguments == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "there was no block of a tool"),
        ("I will run ls.", "there was no block of a tool"),
        ("```python\nx\n```", "there was no block of a tool"),
        ("```bash\nls\n```\n```bash\npwd\n```", "there were 2 blocks"),
        ("```bash\nls\n", "there was no block of a tool"),
        ("```bash\n```", "bash: command"),
        ("```edit\nstart 3\n---\nx\n```", "edit: start: Field required"),
        ("```goto\nline: three\n```", "goto: line: "),
        ("```goto\n---\nx\n```", "goto: line: Field required; text: Extra inputs"),
    ],
)
def test_a_text_that_is_no_action_says_why(words: str, said: str) -> None:
    action = text(words)
    assert action.kind == "none" and said in action.command


@given(st.text(), st.text(), st.sampled_from([*KNOWN, "x"]))
def test_nothing_that_a_model_writes_raises(words: str, arguments: str, name: str) -> None:
    reply = Reply.model_construct(
        text=words,
        reasoning="",
        finish="stop",
        calls=(ReplyCall.model_construct(id="", name=name, arguments=arguments),),
    )
    for action in (*native_actions(reply, KNOWN), *text_actions(reply, KNOWN)):
        assert action.kind != "tool" or action.tool == name


def test_many_open_fences_take_no_time() -> None:
    assert text("```bash\n" * 300_000).kind == "none"

"""A model's reply -> actions. Native tool calls, or the one fenced block of the text protocol.

Takes a Reply and the forms of what may be called; gives actions in order. What cannot be read becomes an action of kind
`none` whose command says why, in words that the model can act on. Never raises on anything a model wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import Field, ValidationError

from harness.schema.calls import Reply, ReplyCall
from harness.schema.steps import Action
from harness.tools.base import Aid, Arguments, Form
from harness.tools.registry import TOOLS, given, unknown

TEXT_ARGUMENT = "text"
CUT_OFF = "the answer was cut off at its length limit; write less at once, for instance a file in several parts"
NO_CALL = "there was no tool call; answer with a tool call, and with submit when you are done"
NO_BLOCK = "there was no block of a tool; answer with exactly one fenced block whose first line names the tool"
_FENCE = re.compile(r"(`{3,})[ \t]*([^\s`]*)[^`]*")
_ARGUMENT = re.compile(r"^(\w+):[ \t]*(.*)$")


class BashArguments(Arguments):
    """A shell command."""

    command: str = Field(min_length=1, max_length=200_000, description="what bash runs; folder and variables survive")


class Nothing(Arguments):
    """No arguments."""


BASH = Form("bash", "Run a command in your shell, which stays open. No input can be typed into it.", BashArguments)
VALIDATE = Form("validate", "Grade what you would hand in on the validation split, and see the result.", Nothing)
SUBMIT = Form("submit", "Hand in what is in the workspace. This ends the episode.", Nothing)


def forms(tools: tuple[str, ...] | None, aids: Collection[Aid] = ()) -> dict[str, Form[Any]]:
    """What an agent may call, by name: bash, the chosen tools (None: all that the run has), validate and submit."""
    chosen = [TOOLS[name] for name in given(aids) if tools is None or name in tools]
    return {form.name: form for form in (BASH, *chosen, VALIDATE, SUBMIT)}


def native_actions(reply: Reply, known: Mapping[str, Form[Any]]) -> list[Action]:
    """One action a tool call, in order; the reply's words go with the first."""
    if not reply.calls:
        return [_none(CUT_OFF if reply.finish == "length" else NO_CALL, reply)]
    first, *rest = reply.calls
    return [
        _call_action(first, reply, known),
        *(_call_action(call, Reply(finish=reply.finish), known) for call in rest),
    ]


def text_actions(reply: Reply, known: Mapping[str, Form[Any]]) -> list[Action]:
    """The action of the one block that names a tool."""
    found = [(name, body) for name, body in _blocks(reply.text) if name in known]
    if len(found) > 1:
        return [_none(f"there were {len(found)} blocks of tools; answer with exactly one", reply)]
    if not found:
        return [_none(CUT_OFF if reply.finish == "length" else NO_BLOCK, reply)]
    name, body = found[0]
    return [_action(name, _block_arguments(name, body), "", reply, known)]


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Name and body of every fenced block that is closed; a longer fence holds shorter ones."""
    fence, name, body = "", "", list[str]()
    for line in text.replace("\r\n", "\n").split("\n"):
        bare = line.strip()
        if not fence:
            if opened := _FENCE.fullmatch(bare):
                fence, name, body = opened[1], opened[2], []
        elif bare.startswith(fence) and not bare.strip("`"):
            yield name, "\n".join(body)
            fence = ""
        else:
            body.append(line)


def _call_action(call: ReplyCall, words: Reply, known: Mapping[str, Form[Any]]) -> Action:
    if call.name not in known:
        return _none(unknown(call.name, list(known)), words, call.plain_id)
    try:
        arguments = json.loads(call.arguments or "{}", parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        cut = f"; {CUT_OFF}" if words.finish == "length" else ""
        return _none(f"the arguments of {call.name} are not JSON: {str(error)[:200]}{cut}", words, call.plain_id)
    if not isinstance(arguments, dict):
        return _none(f"the arguments of {call.name} must be a JSON object", words, call.plain_id)
    return _action(call.name, arguments, call.plain_id, words, known)


def _action(name: str, arguments: dict[str, Any], call_id: str, words: Reply, known: Mapping[str, Form[Any]]) -> Action:
    if wrong := known[name].faults(arguments):
        return _none(wrong, words, call_id)
    said: dict[str, Any] = {"thought": words.text, "reasoning": words.reasoning, "call_id": call_id}
    try:
        if name == BASH.name:
            return Action(kind="bash", command=arguments["command"], **said)
        if name == VALIDATE.name:
            return Action(kind="validate", **said)
        if name == SUBMIT.name:
            return Action(kind="submit", **said)
        return Action(kind="tool", tool=name, arguments=arguments, **said)
    except ValidationError as error:
        return _none(f"{name}: {error.errors(include_url=False)[0]['msg']}", words, call_id)


def _none(why: str, words: Reply, call_id: str = "") -> Action:
    """Of the thought what can be written down."""
    return Action(kind="none", command=why, thought=words.text, reasoning=words.reasoning, call_id=call_id)


def _block_arguments(name: str, body: str) -> dict[str, Any]:
    """bash: the body is the command. Else `name: value` lines, then after a line `---` the text, whole."""
    if name == BASH.name:
        return {"command": body}
    head, rule, text = f"\n{body}\n".partition("\n---\n")
    arguments: dict[str, Any] = {TEXT_ARGUMENT: text.removesuffix("\n")} if rule else {}
    for line in filter(str.strip, head.split("\n")):
        found = _ARGUMENT.match(line)
        key, value = (found[1], found[2].rstrip()) if found else (line[:60], "")  # a stranger, which the error names
        arguments[key] = value
    return arguments


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")

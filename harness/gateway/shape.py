"""What a request to the gateway may say, common to both wire formats, and what it comes to.

Takes JSON bytes and a Shape, gives its instance or HttpRefused that names each field at fault. What is not declared is
refused: a request is built anew from what is known, never passed on.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from harness.gateway.http import HttpRefused

MAX_DEPTH = 64
MAX_VALUES = 100_000
FAULTS_SHOWN = 5
_READING = threading.Lock()


class Shape(BaseModel):
    """Part of a request: closed and strict."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class CacheControl(Shape):
    """Where the provider's prompt cache may end a prefix."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class Thought(Shape):
    """Thinking under its provider's signature; an empty one: of a provider that signs nothing."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class SealedThought(Shape):
    """Thinking that its provider has encrypted."""

    type: Literal["redacted_thinking"]
    data: str


def _plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A tool's schema stays JSON Schema of our side: no reference leads out of it."""
    waiting: list[Any] = [schema]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            reference = here.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                raise ValueError("a $ref may only lead to a place in the same schema (#/...)")
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here
    return schema


JsonSchema = Annotated[dict[str, Any], AfterValidator(_plain_schema)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]
CallId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:+/=-]+$", max_length=70_000)]
"""A call's name for itself; Gemini's carry the signature of a thought."""
Tokens = Annotated[int, Field(ge=1, le=1_000_000)]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]


@dataclass(frozen=True)
class Wanted:
    """A request in the words of harness.llm: chat messages and tools, and the parameters beside them. `reasoning`:
    whether the answer may show its reasoning.
    """

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    max_output_tokens: int | None = None
    stream: bool = False
    usage_in_stream: bool = True
    reasoning: bool = True


Kind = TypeVar("Kind", bound=Shape)


def parsed(body: bytes, shape: type[Kind]) -> Kind:
    """The body as this shape. Raises HttpRefused."""
    with _READING:  # one at a time: 8 MB of brackets are some hundred MB of lists
        tree = _read(body)
    try:
        return shape.model_validate(tree)
    except ValidationError as error:
        raise HttpRefused(400, _words(error)) from None


def _read(body: bytes) -> Any:
    try:
        tree = json.loads(body, parse_constant=_no_number, parse_float=_finite)
        json.dumps(tree, ensure_ascii=False).encode()  # half of a surrogate pair is no text that can be sent on
    except (ValueError, RecursionError) as error:
        raise HttpRefused(400, f"the body is no JSON: {error}") from None
    depth, values = _measured(tree)
    if depth > MAX_DEPTH:
        raise HttpRefused(400, f"the body is nested deeper than {MAX_DEPTH}")
    if values > MAX_VALUES:
        raise HttpRefused(413, f"the body holds more than {MAX_VALUES} values", "request_too_large")
    return tree


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    return value if math.isfinite(value := float(text)) else _no_number(text[:40])


def _measured(tree: Any) -> tuple[int, int]:
    """How deep it is, and how many values it holds; neither much beyond its bound."""
    depth, values, level = 0, 0, [tree]
    while level and depth <= MAX_DEPTH and values <= MAX_VALUES:
        depth, values = depth + 1, values + len(level)
        level = [
            below
            for here in level
            if isinstance(here, dict | list)
            for below in (here.values() if isinstance(here, dict) else here)
        ]
    return depth, values


def _words(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{'.'.join(map(str, fault['loc'])) or 'body'}: {_said(fault['type'], fault['msg'])}" for fault in faults]
    more = [f"and {len(shown) - FAULTS_SHOWN} more"] if len(shown) > FAULTS_SHOWN else []
    return "; ".join([*(line[:300] for line in shown[:FAULTS_SHOWN]), *more])


def _said(kind: str, message: str) -> str:
    return "this gateway does not take this field" if kind == "extra_forbidden" else message

"""OpenAI's responses: the Shapes of what a program may ask.

Takes JSON, gives a ResponsesRequest. Nothing is kept between requests: the input is the whole conversation, and what
points to an earlier one is refused. Functions are the only tools, text and inline images the only content.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from harness.gateway.openai import INLINE_IMAGE, Effort
from harness.gateway.shape import CallId, JsonSchema, Name, Shape, Tokens

Nothings = Annotated[list[None], Field(max_length=0)]
Status = Literal["in_progress", "completed", "incomplete"] | None


def _refusing(why: str) -> BeforeValidator:
    """Takes what stands for nothing: null and false."""

    def nothing(value: object) -> object:
        if value is not None and value is not False:
            raise ValueError(why)
        return value

    return BeforeValidator(nothing)


Stateless = Annotated[
    Literal[False] | None,
    _refusing("nothing is kept here between requests: send store=false and the whole conversation as input"),
]
AtOnce = Annotated[Literal[False] | None, _refusing("an answer comes at once: nothing runs in the background here")]


class InputText(Shape):
    """What a person, a system or a tool says."""

    type: Literal["input_text"]
    text: str
    prompt_cache_breakpoint: dict[str, Any] | None = None


class InputImage(Shape):
    """A picture, inline."""

    type: Literal["input_image"]
    image_url: Annotated[str, Field(pattern=INLINE_IMAGE)]
    detail: Literal["auto", "low", "high", "original"] | None = None
    file_id: None = None
    prompt_cache_breakpoint: dict[str, Any] | None = None


class OutputText(Shape):
    """What the model said."""

    type: Literal["output_text"]
    text: str
    annotations: Nothings | None = None
    logprobs: Nothings | None = None


class Refusal(Shape):
    """What the model would not say."""

    type: Literal["refusal"]
    refusal: str


Part = Annotated[InputText | InputImage | OutputText | Refusal, Field(discriminator="type")]


class Said(Shape):
    """A message; without `type` too, as the format allows. `id`, `status` and `phase` are let go."""

    type: Literal["message"] | None = None
    role: Literal["user", "system", "developer", "assistant"]
    content: str | list[Part]
    id: str | None = None
    status: Status = None
    phase: str | None = None


class Called(Shape):
    """A call of the model's."""

    type: Literal["function_call"]
    call_id: CallId
    name: Name
    arguments: str
    id: str | None = None
    status: Status = None
    namespace: None = None
    caller: None = None


class Result(Shape):
    """What came of a call."""

    type: Literal["function_call_output"]
    call_id: CallId
    output: str | list[Annotated[InputText | InputImage, Field(discriminator="type")]]
    id: str | None = None
    status: Status = None
    caller: None = None


class _Summary(Shape):
    type: Literal["summary_text"]
    text: str


class _Content(Shape):
    type: Literal["reasoning_text"]
    text: str


class Reasoned(Shape):
    """Reasoning of the model's; `encrypted_content` is what we sent of it, the rest is let go."""

    type: Literal["reasoning"]
    id: str | None = None
    summary: list[_Summary] = []
    content: list[_Content] | None = None
    encrypted_content: str | None = None
    status: Status = None


def _kind(item: object) -> str:
    """A message may come without saying that it is one."""
    kind = item.get("type") if isinstance(item, dict) else getattr(item, "type", None)
    return "message" if kind is None else str(kind)


Item = Annotated[
    Annotated[Said, Tag("message")]
    | Annotated[Called, Tag("function_call")]
    | Annotated[Result, Tag("function_call_output")]
    | Annotated[Reasoned, Tag("reasoning")],
    Discriminator(
        _kind,
        custom_error_type="unknown_item",
        custom_error_message="this gateway takes message, function_call, function_call_output and reasoning",
    ),
]


class FunctionTool(Shape):
    """A tool of the program's own."""

    type: Literal["function"]
    name: Name
    description: str | None = None
    parameters: JsonSchema | None = None
    strict: bool | None = None
    defer_loading: Literal[False] | None = None


class Choice(Shape):
    """One function that has to be called."""

    type: Literal["function"]
    name: Name


class _SchemaFormat(Shape):
    type: Literal["json_schema"]
    name: Name
    schema_: JsonSchema = Field(alias="schema")
    description: str | None = None
    strict: bool | None = None


class _PlainFormat(Shape):
    type: Literal["text", "json_object"]


class Text(Shape):
    """How the answer is to be written."""

    format: Annotated[_SchemaFormat | _PlainFormat, Field(discriminator="type")] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Shape):
    """How much to think. What is to be shown of it is let go: all that the provider shows is."""

    effort: Effort | None = None
    summary: str | None = None
    generate_summary: str | None = None
    context: str | None = None


class _StreamOptions(Shape):
    include_obfuscation: bool | None = None


class ResponsesRequest(Shape):
    """The body of POST /v1/responses. The last block is taken and let go."""

    model: str
    input: str | Annotated[list[Item], Field(min_length=1)]
    instructions: str | None = None
    tools: list[FunctionTool] = []
    max_output_tokens: Tokens | None = None
    stream: bool | None = None

    tool_choice: Literal["none", "auto", "required"] | Choice | None = None
    parallel_tool_calls: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    reasoning: Reasoning | None = None
    text: Text | None = None

    store: Stateless = None
    previous_response_id: Stateless = None
    conversation: Stateless = None
    prompt: Stateless = None
    background: AtOnce = None
    include: list[Literal["reasoning.encrypted_content"]] | None = None
    truncation: Literal["disabled"] | None = None
    top_logprobs: Literal[0] | None = None

    max_tool_calls: int | None = None
    stream_options: _StreamOptions | None = None
    metadata: dict[str, str] | None = None
    client_metadata: dict[str, Any] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    service_tier: str | None = None

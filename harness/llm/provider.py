"""One request to a provider through litellm, once. The only module that imports litellm.

Takes a ModelPlan and a Request, gives an Answer with the provider's own counts, or one of the errors below, which say
whether the request can have been paid. Never retries: neither here nor, with max_retries=0, in the client packages.
"""

from __future__ import annotations

import gc
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from harness.errors import ContextOverflow, ModelUnavailable, RequestRefused, UsageError
from harness.llm.base import Message, ModelPlan, ToolSchema
from harness.llm.keys import key_variable
from harness.schema.calls import Reply, ReplyCall, Thinking
from harness.schema.episode import Usage

BUSY = (429, 503, 529)
PERHAPS_PAID = (408, 500, 502, 504)
GONE = (401, 402, 403, 404)
LACKING = 'a language model needs litellm: pip install "gymboard[llm]"'
MAX_THINKING_CHARS = 1 << 20


@dataclass(frozen=True)
class Request:
    """What is asked: chat format of OpenAI. `params` already hold the plan's."""

    model: str
    messages: Sequence[Message]
    tools: Sequence[ToolSchema]
    max_output_tokens: int
    params: Mapping[str, Any] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """One byte string a request: its digest names it in the journal, its length bounds its tokens."""
        whole: dict[str, Any] = {"model": self.model, "messages": list(self.messages), "tools": list(self.tools)}
        whole |= {"max_output_tokens": self.max_output_tokens, "params": dict(self.params)}
        return json.dumps(whole, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")


def request_sha256(encoded: bytes) -> str:
    """The name of a request in the journal."""
    return hashlib.sha256(encoded).hexdigest()


@dataclass(frozen=True)
class Answer:
    """A reply and its tokens by the provider's own counts; `counted` False: the provider counted nothing."""

    reply: Reply
    usage: Usage
    counted: bool = True


class Busy(Exception):
    """A rate limit or an overload; not paid. `retry_after_s` is the provider's own wish."""

    def __init__(self, message: str, retry_after_s: float | None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class Unreached(Exception):
    """No connection could be made; nothing was sent, nothing is paid."""


class Lost(Exception):
    """The request went out and no whole answer came back: nobody here knows whether it is paid."""


def library() -> Any:
    """litellm, without its telemetry and without its fetching a price list."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    try:
        with _no_collections():
            import litellm
    except ImportError:
        raise UsageError(LACKING) from None
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    _nobody_listens()
    _no_tool_servers()
    return litellm


@contextmanager
def _no_collections() -> Iterator[None]:
    """An import makes 300,000 objects that stay: to look for garbage among them is a seventh of its time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _nobody_listens() -> None:
    """No record for litellm's callbacks, of which there are none: in a thread of its own it costs 1.5 ms a call, and
    more with the history. The switch holds for the thread that asks."""
    from litellm._internal_context import is_internal_call

    is_internal_call.set(True)


class _NoToolServers:
    """Stands where litellm looks for MCP servers."""

    @staticmethod
    def should_use_litellm_mcp_gateway(tools: object = None) -> bool:
        """Never: our tools are functions."""
        return False


def _no_tool_servers() -> None:
    """On its way to OpenAI's Responses (gpt-5.4 and later with tools) litellm loads its proxy's MCP handler, which is
    not installed, to ask whether it is needed; `_skip_mcp_handler` is looked at too late."""
    name = "litellm.responses.mcp.litellm_proxy_mcp_handler"
    handler = sys.modules.setdefault(name, ModuleType(name))
    if not hasattr(handler, "LiteLLM_Proxy_MCP_Handler"):
        vars(handler)["LiteLLM_Proxy_MCP_Handler"] = _NoToolServers


def check(plan: ModelPlan) -> None:
    """Raises UsageError when litellm knows no provider of that name, or when the provider's key is missing.

    Imports litellm only for a provider that harness.llm.keys does not know: who begins a run need not ask himself.
    """
    if find_spec("litellm") is None:
        raise UsageError(LACKING)
    variable = key_variable(plan.name)
    if variable is None:
        _demand_provider(plan)
    if plan.key_env:
        if _empty(plan.key_env):
            raise UsageError(f"--key-env {plan.key_env}: there is no such variable in the environment, or it is empty")
    elif plan.api_base is None and (missing := _missing_keys(plan.name, variable)):
        raise UsageError(f"{plan.name} needs {' or '.join(missing)} in the environment; or name another by --key-env")


def _demand_provider(plan: ModelPlan) -> None:
    litellm = library()
    try:
        litellm.get_llm_provider(plan.name, api_base=plan.api_base)
    except litellm.BadRequestError:
        hint = f"write provider/model, for instance openai/{plan.name}"
        raise UsageError(f"no provider is known for the model {plan.name!r}; {hint}") from None


def _empty(variable: str) -> bool:
    return not os.environ.get(variable, "").strip()


def _missing_keys(model: str, variable: str | None) -> list[str]:
    """What litellm looks for; a variable that is there and empty holds no key, though litellm counts it as one."""
    if variable is not None:
        return [variable] if _empty(variable) else []
    litellm = library()
    empty = {name: value for name, value in os.environ.items() if name.endswith("API_KEY") and not value.strip()}
    for name in empty:
        del os.environ[name]
    try:
        missing = litellm.validate_environment(model)["missing_keys"]
    finally:
        os.environ.update(empty)
    return [name for name in missing if name.endswith("API_KEY")]


def ask(plan: ModelPlan, request: Request, timeout_s: float) -> Answer:
    """Ask once. Raises Busy, Unreached, Lost, ContextOverflow, ModelUnavailable, RequestRefused."""
    litellm = library()
    given: dict[str, Any] = {"tools": list(request.tools)} if request.tools else {}
    if _takes_the_short_way(plan):
        given |= {"headers": _organization(plan)}
    try:
        response = litellm.completion(
            **request.params,
            **given,
            model=request.model,
            messages=list(request.messages),
            max_tokens=request.max_output_tokens,
            api_base=plan.api_base,
            api_key=_key(litellm, plan),
            timeout=timeout_s,
            max_retries=0,
            num_retries=0,
            stream=False,
            _skip_mcp_handler=True,  # else a call with tools needs the package mcp and looks for litellm's proxy
        )
        return _answer(response)
    except litellm.ContentPolicyViolationError as error:
        return Answer(Reply(text=_clean(str(error)), finish="content_filter"), Usage())
    except litellm.ContextWindowExceededError as error:
        raise ContextOverflow(_short(error)) from None
    except Exception as error:
        raise _sorted(error, litellm, plan) from None


def ask_embedding(plan: ModelPlan, request: Request, timeout_s: float) -> Answer:
    """The vector of the one message's text, as JSON in the reply's text. Raises as ask does."""
    litellm = library()
    try:
        response = litellm.embedding(
            **request.params,
            model=request.model,
            input=[request.messages[0]["content"]],
            encoding_format="float",
            api_base=plan.api_base,
            api_key=_key(litellm, plan),
            timeout=timeout_s,
            max_retries=0,
            num_retries=0,
        )
        vector = [float(value) for value in response.data[0]["embedding"]]
        text = json.dumps(vector, allow_nan=False)
    except litellm.ContextWindowExceededError as error:
        raise ContextOverflow(_short(error)) from None
    except Exception as error:
        raise _sorted(error, litellm, plan) from None
    tokens = getattr(response.usage, "prompt_tokens", None) or 0
    return Answer(Reply(text=text, finish="embedding"), Usage(input_tokens=tokens), counted=tokens > 0)


def _takes_the_short_way(plan: ModelPlan) -> bool:
    """Whether litellm sends the request itself, as it does to most providers, and not through the package openai.

    That package walks every message through all the types that a message can have: 0.3 ms of CPU a turn of history in
    each request (github.com/BerriAI/litellm/pull/29769). litellm reads the switch anew at each call; it is only thrown
    for the provider openai, because of some others litellm then builds a wrong address. One process has one plan.
    """
    short = plan.name.startswith("openai/")
    os.environ["EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER"] = str(short)
    return short


def _organization(plan: ModelPlan) -> dict[str, str]:
    """The headers that the package openai takes from the environment; for OpenAI only."""
    named = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
    known = {header: os.environ.get(name) for header, name in named.items()}
    return {} if plan.api_base else {header: value for header, value in known.items() if value}


def _key(litellm: Any, plan: ModelPlan) -> str | None:
    """The named key; for a server of one's own that asks for none, a word in its place; else litellm looks itself."""
    if plan.key_env:
        return os.environ.get(plan.key_env)
    return "none" if plan.api_base and _missing_keys(litellm, plan.name) else None


def _answer(response: Any) -> Answer:
    choice = response.choices[0]
    message, usage = choice.message, response.usage
    calls = tuple(
        ReplyCall(
            id=_clean(str(call.id or "")),
            name=_clean(call.function.name or ""),
            arguments=_clean(call.function.arguments),
        )
        for call in message.tool_calls or ()
    )
    reply = Reply(
        text=_clean(message.content or ""),
        reasoning=_clean(getattr(message, "reasoning_content", None) or ""),
        thinking=_thinking(message),
        calls=calls,
        finish=choice.finish_reason or "stop",
    )
    inputs, outputs = getattr(usage, "prompt_tokens_details", None), getattr(usage, "completion_tokens_details", None)
    guessed = bool(getattr(message, "thinking_blocks", None))  # Anthropic counts no reasoning apart; litellm guesses
    try:
        counts = Usage(
            input_tokens=usage.prompt_tokens or 0,
            cached_tokens=getattr(inputs, "cached_tokens", None) or 0,
            cache_write_tokens=getattr(inputs, "cache_creation_tokens", None) or 0,
            output_tokens=usage.completion_tokens or 0,
            reasoning_tokens=0 if guessed else getattr(outputs, "reasoning_tokens", None) or 0,
        )
    except ValidationError:  # below zero or beyond all measure: no count
        return Answer(reply, Usage(), counted=False)
    return Answer(reply, counts, counted=bool(counts.input_tokens or counts.output_tokens))


def _thinking(message: Any) -> tuple[Thinking, ...]:
    """What is signed or sealed; nothing when it is so much that no answer can have been that long."""
    blocks: Sequence[Mapping[str, Any]] = getattr(message, "thinking_blocks", None) or ()
    kept = [
        Thinking(
            type=block["type"], **{name: _clean(block.get(name) or "") for name in ("thinking", "signature", "data")}
        )
        for block in blocks
        if (block.get("type") == "thinking" and block.get("signature"))
        or (block.get("type") == "redacted_thinking" and block.get("data"))
    ]
    kept += [_sealed(item) for item in getattr(message, "reasoning_items", None) or ()]
    size = sum(len(block.thinking) + len(block.signature) + len(block.data) for block in kept)
    return tuple(kept) if size <= MAX_THINKING_CHARS else ()


def _sealed(item: Mapping[str, Any]) -> Thinking:
    """An item of OpenAI's Responses, as litellm hands it on."""
    summary = "\n\n".join(part.get("text") or "" for part in item.get("summary") or ())
    return Thinking(
        type="reasoning",
        id=_clean(item.get("id") or ""),
        thinking=_clean(summary),
        data=_clean(item.get("encrypted_content") or ""),
    )


def _clean(text: str) -> str:
    """Text that can be written as UTF-8: a half surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _sorted(error: Exception, litellm: Any, plan: ModelPlan) -> Exception:
    """What a failure means, from the first cause of it: litellm's own status is not always the provider's."""
    import httpx
    import openai

    causes = list(_causes(error))
    if transport := next((one for one in causes if isinstance(one, httpx.TransportError)), None):
        unsent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
        text = f"{plan.name}: {transport or type(transport).__name__}"
        return Unreached(text) if isinstance(transport, unsent) else Lost(text)
    if isinstance(error, openai.APITimeoutError):
        return Lost(_short(error))
    answers = [
        one.response
        for one in causes
        if isinstance(one, httpx.HTTPStatusError | openai.APIStatusError)
        and not type(one).__module__.startswith("litellm")
    ]
    if answers:
        return _refused(answers[-1].status_code, answers[-1].headers, error, plan)
    return RequestRefused(_short(error)) if isinstance(error, litellm.BadRequestError) else Lost(_short(error))


def _refused(status: int, headers: Mapping[str, str], error: Exception, plan: ModelPlan) -> Exception:
    text = _short(error)
    if status in BUSY and "insufficient_quota" not in text and "exceeded your current quota" not in text:
        return Busy(text, _retry_after_s(headers))
    if status in BUSY or status in GONE:
        return ModelUnavailable(f"{plan.name} answers {status}: {text}")
    if status == 413:
        return ContextOverflow(text)
    return Lost(text) if status in PERHAPS_PAID else RequestRefused(text)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds or as a date (RFC 9110), or OpenAI's retry-after-ms."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(ValueError):
            if math.isfinite(wait := float(headers.get(name, "")) / unit):
                return max(0.0, wait)
    with suppress(ValueError, OverflowError):
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    return None


def _short(error: BaseException) -> str:
    return " ".join(_clean(str(error)).split())[:1000]

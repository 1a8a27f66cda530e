"""What a program may not get through the gateway: each rule with the attack that it stops. None of it is paid."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from harness.gateway import door
from harness.gateway.http import BODY_CAP_BYTES
from harness.gateway.openai import ChatRequest
from harness.gateway.responses.shape import ResponsesRequest
from tests.harness.gateway.conftest import KEY, MODEL, PRICE, Open, Set
from tests.servers.answers import Say

ASK: list[Any] = [{"role": "user", "content": "hello"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"


def chat(**more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": ASK, **more}


def said(*parts: Any) -> dict[str, Any]:
    return chat(messages=[{"role": "user", "content": list(parts)}])


def messages(*blocks: Any, **more: Any) -> dict[str, Any]:
    content = [{"role": "user", "content": list(blocks)}] if blocks else ASK
    return {"model": MODEL, "max_tokens": 9, "messages": content, **more}


def respond(*items: Any, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "input": list(items) or "hello", **more}


def schema(tree: Any) -> dict[str, Any]:
    return chat(tools=[{"type": "function", "function": {"name": "f", "parameters": tree}}])


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "api_base to loopback": (CHAT, chat(api_base="http://127.0.0.1:2375"), "api_base"),
    "base_url": (CHAT, chat(base_url="http://169.254.169.254/latest"), "base_url"),
    "api_key": (CHAT, chat(api_key="sk-x"), "api_key"),
    "a key in an extra body": (CHAT, chat(extra_body={"api_base": "http://127.0.0.1"}), "extra_body"),
    "headers of our request": (CHAT, chat(extra_headers={"Authorization": "Bearer x"}), "extra_headers"),
    "a callback": (CHAT, chat(success_callback=["langfuse"], callbacks=["x"]), "success_callback"),
    "a log of ours": (CHAT, chat(logger_fn="print"), "logger_fn"),
    "another provider": (CHAT, chat(custom_llm_provider="vertex_ai"), "custom_llm_provider"),
    "fallbacks to another model": (CHAT, chat(fallbacks=["openai/o1"]), "fallbacks"),
    "retries of its own": (CHAT, chat(num_retries=9, max_retries=9), "num_retries"),
    "a proxy": (CHAT, chat(metadata={}, proxy="http://127.0.0.1"), "proxy"),
    "a mocked answer": (CHAT, chat(mock_response="free"), "mock_response"),
    "a price of its own": (CHAT, chat(input_cost_per_token=0), "input_cost_per_token"),
    "web search of OpenAI": (CHAT, chat(web_search_options={}), "web_search_options"),
    "a server tool": (CHAT, chat(tools=[{"type": "web_search_preview"}]), "tools.0.type"),
    "a code interpreter": (CHAT, chat(tools=[{"type": "code_interpreter", "container": {}}]), "tools.0.type"),
    "an MCP server": (
        CHAT,
        chat(tools=[{"type": "mcp", "server_url": "http://127.0.0.1", "server_label": "x"}]),
        "tools.0.type",
    ),
    "ten answers for one": (CHAT, chat(n=10), "n: "),
    "audio": (CHAT, chat(modalities=["audio"], audio={"voice": "x", "format": "wav"}), "modalities"),
    "a remote image": (CHAT, said({"type": "image_url", "image_url": {"url": "http://127.0.0.1/x.png"}}), "url"),
    "a local image": (CHAT, said({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}), "url"),
    "an image by a path": (CHAT, said({"type": "image_url", "image_url": {"url": "/etc/passwd"}}), "url"),
    "an image without its record": (CHAT, said({"type": "image_url", "image_url": "https://x/y.png"}), "image_url"),
    "an image that hides a line": (
        CHAT,
        said({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}\nhttp://127.0.0.1"}}),
        "url",
    ),
    "an image with a format of its own": (
        CHAT,
        said({"type": "image_url", "image_url": {"url": "https://x/y", "format": "image/png"}}),
        "url",
    ),
    "a file": (CHAT, said({"type": "file", "file": {"file_id": "file-abc"}}), "content"),
    "a file by its data": (CHAT, said({"type": "file", "file": {"file_data": "https://127.0.0.1/x"}}), "content"),
    "a schema that is fetched": (CHAT, schema({"$ref": "http://127.0.0.1/schema"}), "$ref"),
    "a schema that is fetched, deep": (CHAT, schema({"a": [{"b": {"$ref": "file:///etc/passwd"}}]}), "$ref"),
    "a role that is none": (CHAT, chat(messages=[{"role": "function", "name": "f", "content": "x"}]), "role"),
    "a field in a message": (CHAT, chat(messages=[{"role": "user", "content": "x", "api_base": "y"}]), "api_base"),
    "numbers that are none": (CHAT, chat(temperature="1"), "temperature"),
    "no end of tokens": (CHAT, chat(max_tokens=10**9), "max_tokens"),
    "fewer than no tokens": (CHAT, chat(max_tokens=-5), "max_tokens"),
    "nothing said": (CHAT, chat(messages=[]), "messages"),
    "Anthropic's web search": (
        MESSAGES,
        messages(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
        "tools.0.type",
    ),
    "Anthropic's web fetch": (
        MESSAGES,
        messages(tools=[{"type": "web_fetch_20250910", "name": "web_fetch"}]),
        "tools.0.type",
    ),
    "Anthropic's code execution": (
        MESSAGES,
        messages(tools=[{"type": "code_execution_20250825", "name": "code_execution"}]),
        "tools.0.type",
    ),
    "Anthropic's MCP": (
        MESSAGES,
        messages(mcp_servers=[{"type": "url", "url": "http://127.0.0.1", "name": "x"}]),
        "mcp_servers",
    ),
    "a container": (MESSAGES, messages(container="c"), "container"),
    "an image by URL": (
        MESSAGES,
        messages({"type": "image", "source": {"type": "url", "url": "http://127.0.0.1"}}),
        "source",
    ),
    "an image by file": (
        MESSAGES,
        messages({"type": "image", "source": {"type": "file", "file_id": "file_x"}}),
        "source",
    ),
    "a document": (
        MESSAGES,
        messages({"type": "document", "source": {"type": "url", "url": "http://127.0.0.1/x.pdf"}}),
        "content",
    ),
    "api_base in Anthropic's format": (MESSAGES, messages(api_base="http://127.0.0.1"), "api_base"),
    "an earlier response": (RESPONSES, respond(previous_response_id="resp_1"), "previous_response_id"),
    "a conversation that is kept": (RESPONSES, respond(conversation="conv_1"), "send store=false and the whole"),
    "storage at the provider": (RESPONSES, respond(store=True), "store: "),
    "a run in the background": (RESPONSES, respond(background=True), "nothing runs in the background"),
    "a stored prompt": (RESPONSES, respond(prompt={"id": "pmpt_1"}), "prompt: "),
    "web search in Responses": (RESPONSES, respond(tools=[{"type": "web_search"}]), "tools.0.type"),
    "files in Responses": (
        RESPONSES,
        respond(tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}]),
        "tools.0.type",
    ),
    "code of the provider's in Responses": (
        RESPONSES,
        respond(tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]),
        "tools.0.type",
    ),
    "a shell of the provider's": (RESPONSES, respond(tools=[{"type": "shell"}]), "tools.0.type"),
    "a tool without a schema": (RESPONSES, respond(tools=[{"type": "custom", "name": "x"}]), "tools.0.type"),
    "MCP in Responses": (
        RESPONSES,
        respond(tools=[{"type": "mcp", "server_url": "http://127.0.0.1", "server_label": "x"}]),
        "tools.0.type",
    ),
    "a chosen server tool": (RESPONSES, respond(tool_choice={"type": "web_search_preview"}), "tool_choice"),
    "an item by reference": (
        RESPONSES,
        respond({"type": "item_reference", "id": "msg_1"}),
        "this gateway takes message",
    ),
    "a search that was": (RESPONSES, respond({"type": "web_search_call", "id": "ws"}), "this gateway takes message"),
    "an approval of MCP": (
        RESPONSES,
        respond({"type": "mcp_approval_response", "approve": True, "approval_request_id": "x"}),
        "this gateway takes message",
    ),
    "a file in Responses": (
        RESPONSES,
        respond({"role": "user", "content": [{"type": "input_file", "file_url": "http://127.0.0.1/x"}]}),
        "input_file",
    ),
    "a remote image in Responses": (
        RESPONSES,
        respond({"role": "user", "content": [{"type": "input_image", "image_url": "http://127.0.0.1/x.png"}]}),
        "image_url",
    ),
    "an image of a result, by file": (
        RESPONSES,
        respond({"type": "function_call_output", "call_id": "a", "output": [{"type": "input_image", "file_id": "f"}]}),
        "image_url",
    ),
    "a schema of Responses that is fetched": (
        RESPONSES,
        respond(text={"format": {"type": "json_schema", "name": "x", "schema": {"$ref": "http://127.0.0.1"}}}),
        "$ref",
    ),
    "probabilities": (RESPONSES, respond(include=["message.output_text.logprobs"]), "include"),
    "a conversation cut by the provider": (RESPONSES, respond(truncation="auto"), "truncation"),
    "api_base in Responses": (RESPONSES, respond(api_base="http://127.0.0.1"), "api_base"),
    "a body of its own in Responses": (RESPONSES, respond(extra_body={"x": 1}), "extra_body"),
    "a role that is none in Responses": (RESPONSES, respond({"role": "tool", "content": "x"}), "role"),
    "reasoning that was packed by another": (
        RESPONSES,
        respond({"type": "reasoning", "summary": [], "encrypted_content": "gymboard:bm9uZQ=="}),
        "encrypted_content",
    ),
    "half a character in packed reasoning": (
        RESPONSES,
        respond({"type": "reasoning", "summary": [], "encrypted_content": "gymboard:eyJyZWFzb25pbmciOiAiXHVkODAwIn0="}),
        "encrypted_content",
    ),
    "a schema of Anthropic's that is fetched": (
        MESSAGES,
        messages(tools=[{"name": "f", "input_schema": {"$ref": "//127.0.0.1/s"}}]),
        "$ref",
    ),
}


@pytest.fixture
def here(opened: Open) -> Set:
    return opened([Say("fine")])


def nothing_happened(here: Set) -> None:
    assert not here.server.asked and not here.meter.paid(), "it reached the provider"
    assert here.gateway.over is None and here.door.fault is None


def test_fields_that_lead_elsewhere_are_refused_by_name(here: Set) -> None:
    for name, (path, body, field) in REFUSED.items():
        status, answer = here.post(body, path)
        assert status == 400 and field in answer["error"]["message"], (name, status, answer)
    nothing_happened(here)
    assert here.post(chat())[0] == 200, "and an honest request passes"


def test_what_is_let_go_reaches_nobody(here: Set) -> None:
    status, _ = here.post(
        chat(user="me", metadata={"a": "b"}, store=True, service_tier="priority", safety_identifier="x")
    )
    assert status == 200
    body = here.server.asked[0].body
    assert not {"user", "metadata", "store", "service_tier", "safety_identifier"} & set(body)
    assert set(body) <= {"model", "messages", "max_tokens", "stream"}
    thinking = {"type": "enabled", "budget_tokens": 9}
    status, _ = here.post(messages(metadata={"user_id": "x"}, thinking=thinking), MESSAGES)
    assert status == 200 and not {"thinking", "metadata"} & set(here.server.asked[1].body)


def test_inline_images_are_the_only_ones(here: Set) -> None:
    url = f"data:image/png;base64,{PIXEL}"
    assert here.post(said({"type": "image_url", "image_url": {"url": url}}))[0] == 200
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    assert here.post(messages(block), MESSAGES)[0] == 200
    assert here.server.asked[1].messages[0]["content"][0]["image_url"]["url"] == url


def test_another_model_is_not_to_be_had(here: Set) -> None:
    for name in ("openai/o1", "scripted", f"{MODEL} ", "gymboard/../x", "x" * 10_000):
        for path, body in ((CHAT, chat()), (MESSAGES, messages())):
            status, answer = here.post({**body, "model": name}, path)
            assert status == 404 and MODEL in answer["error"]["message"]
    nothing_happened(here)


def test_other_paths_and_methods_lead_nowhere(here: Set) -> None:
    for path in (
        "/",
        "/v1/files",
        "/v1/batches",
        "/v1/responses/x",
        "/v1/messages/batches",
        "/../v1/models",
        "/health",
    ):
        assert here.post(chat(), path)[0] == 404
    answer = here.raw(f"GET {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 405")
    absolute = f"POST http://127.0.0.1:1{CHAT} HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\nContent-Length: 2\r\n\r\n{{}}"
    assert here.raw(absolute.encode()).startswith(b"HTTP/1.1 404"), "a gateway is no proxy"
    nothing_happened(here)


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", f"Basic {KEY}", KEY, "Bearer \u00e9"])
def test_without_the_episodes_key_nothing_is_answered(here: Set, given: str) -> None:
    status, answer = here.post(chat(), Authorization=given)
    assert status == 401 and KEY not in json.dumps(answer)
    nothing_happened(here)


def test_headers_of_the_program_reach_nobody(here: Set) -> None:
    smuggled = {
        "x-litellm-api-base": "http://127.0.0.1",
        "api-base": "http://127.0.0.1",
        "OpenAI-Organization": "org-x",
        "anthropic-beta": "code-execution-2025-08-25",
        "x-forwarded-host": "evil",
        "Cookie": "a=b",
        "Host": "evil.example",
    }
    assert here.post(chat(), **smuggled)[0] == 200
    sent = {name.lower(): value for name, value in here.server.asked[0].headers.items()}
    assert not {"x-litellm-api-base", "api-base", "anthropic-beta", "x-forwarded-host", "cookie"} & set(sent)
    assert KEY not in json.dumps(sent) and "evil" not in json.dumps(sent) and "org-x" not in json.dumps(sent)


HEAD = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
BODY = json.dumps(chat())
WIRES = {
    "two lengths": f"{HEAD}Content-Length: {len(BODY)}\r\nContent-Length: 9\r\n\r\n{BODY}",
    "a length that is none": f"{HEAD}Content-Length: +5\r\n\r\n{BODY}",
    "an encoding that is none": f"{HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n{BODY}",
    "a chunk that is none": f"{HEAD}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{BODY}\r\n0\r\n\r\n",
    "a line in a header": f"{HEAD}X: a\rb\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}",
    "a header without a name": f"{HEAD}: x\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}",
    "a head without end": f"{HEAD}X: {'y' * 200_000}",
    "no HTTP at all": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("data", WIRES.values(), ids=WIRES)
def test_a_request_that_two_readers_could_read_differently_is_read_by_none(here: Set, data: str) -> None:
    answer = here.raw(data.encode("latin-1"), end=True)
    assert answer == b"" or answer.split()[1][:2] in (b"40", b"41", b"43", b"50"), answer[:200]
    nothing_happened(here)


def test_a_second_request_behind_the_first_is_not_read(here: Set) -> None:
    one = f"{HEAD}Content-Length: {len(BODY)}\r\n\r\n{BODY}"
    answer = here.raw((one + one).encode())
    assert answer.count(b"HTTP/1.1 ") == 1 and b"connection: close" in answer.lower()
    assert len(here.server.asked) == 1


def test_huge_bodies_are_not_held(here: Set) -> None:
    head = f"{HEAD}Content-Length: {10**12}\r\n\r\n".encode()
    answer = here.raw(head + b" " * (BODY_CAP_BYTES + (1 << 20)))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    chunks = b"".join(b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20)) for _ in range((BODY_CAP_BYTES >> 20) + 2))
    answer = here.raw(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    nothing_happened(here)
    assert here.post(chat())[0] == 200


def test_a_body_of_a_million_values_is_refused(here: Set) -> None:
    status, document = here.post(b'{"model": "m", "messages": [' + b"[]," * 1_000_000 + b"[]]}")
    assert status == 413 and "values" in document["error"]["message"]
    status, document = here.post(json.dumps(schema({"minimum": 7})).replace("7", "1e999").encode())
    assert status == 400 and "no number of JSON" in document["error"]["message"]
    nothing_happened(here)


def test_bodies_that_are_hard_to_read_are_refused(here: Set) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    mean = json.dumps(chat()).encode().replace(b'"hello"', b"[" * 90 + b"]" * 90)
    for body in (deep, mean, b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"model": NaN}', b"1" * 5000, b'"\\ud800"'):
        assert here.post(body)[0] == 400
    surrogate = json.dumps(chat(messages=[{"role": "user", "content": "\ud800"}])).encode()
    assert here.post(surrogate)[0] == 400
    nothing_happened(here)


def test_slow_senders_are_let_go_and_others_are_served(here: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "RECEIVE_S", 2.0)
    slow = []
    for _ in range(door.CONNECTIONS - 2):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(here.socket))
        connection.sendall(HEAD.encode())
        slow.append(connection)
    begun = time.monotonic()
    assert here.post(chat())[0] == 200, "there is room beside them"
    for connection in slow:
        connection.settimeout(20)
        assert connection.recv(1) == b""
        connection.close()
    assert time.monotonic() - begun < 20, "nobody holds a connection by saying a little"
    assert len(here.server.asked) == 1


def test_more_connections_than_there_is_room_for_are_closed(here: Set) -> None:
    held = []
    for _ in range(door.CONNECTIONS * 2):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(here.socket))
        connection.settimeout(5)
        held.append(connection)
        time.sleep(0.002)
    closed = 0
    for connection in held[door.CONNECTIONS + 4 :]:
        closed += connection.recv(1) == b""
    assert closed == len(held) - door.CONNECTIONS - 4
    for connection in held:
        connection.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = here.raw(f"{HEAD}Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode())
        if answer:
            break
    assert answer.startswith(b"HTTP/1.1 200"), "the room is given back"


def test_a_dropped_stream_is_paid_and_booked(opened: Open) -> None:
    here = opened([Say("a long answer", output_tokens=80, delay_s=0.5)])
    body = json.dumps(chat(stream=True))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(here.socket))
        connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    deadline = time.monotonic() + 30
    while not here.meter.paid() and time.monotonic() < deadline:
        time.sleep(0.05)
    (call,) = here.meter.paid()
    assert call.output_tokens == 80 and call.cost_usd == here.server.cost_usd(PRICE)
    assert here.door.fault is None


def test_every_field_that_passes_is_one_that_was_thought_of() -> None:
    """A new field of the shape needs a line here, and an attack above when it can lead elsewhere."""
    assert set(ChatRequest.model_fields) == {
        *("model", "messages", "tools", "max_tokens", "max_completion_tokens", "stream", "stream_options"),
        *("tool_choice", "temperature", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty"),
        *("parallel_tool_calls", "reasoning_effort", "response_format", "n", "logprobs", "modalities", "store"),
        *("user", "metadata", "safety_identifier", "prompt_cache_key", "service_tier"),
    }
    assert set(ResponsesRequest.model_fields) == {
        *("model", "input", "instructions", "tools", "max_output_tokens", "stream", "tool_choice"),
        *("parallel_tool_calls", "temperature", "top_p", "reasoning", "text", "store", "previous_response_id"),
        *("conversation", "prompt", "background", "include", "truncation", "top_logprobs", "max_tool_calls"),
        *("stream_options", "metadata", "client_metadata", "user", "safety_identifier", "prompt_cache_key"),
        *("prompt_cache_retention", "prompt_cache_options", "service_tier"),
    }

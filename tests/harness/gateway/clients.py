"""The providers' own client packages, connected to a gateway's socket."""

from __future__ import annotations

import anthropic
import httpx
import httpx2
import openai
import pytest

from harness.schema.calls import total
from tests.harness.gateway.conftest import KEY, PRICE, Set


def of_openai(here: Set) -> openai.OpenAI:
    http = httpx.Client(transport=httpx.HTTPTransport(uds=str(here.socket)))
    return openai.OpenAI(api_key=KEY, base_url="http://gateway/v1", http_client=http, max_retries=0)


def of_anthropic(here: Set) -> anthropic.Anthropic:
    http = httpx2.Client(transport=httpx2.HTTPTransport(uds=str(here.socket)))
    return anthropic.Anthropic(api_key=KEY, base_url="http://gateway", http_client=http, max_retries=0)


def agrees(here: Set) -> None:
    """What the meter booked is what the provider billed."""
    usage = total(list(here.meter.paid()))
    assert usage.reported_cost_usd == pytest.approx(here.server.cost_usd(PRICE), abs=1e-12)
    assert usage.input_tokens == sum(billed.usage.input_tokens for billed in here.server.bill) > 0
    assert usage.output_tokens == sum(billed.usage.output_tokens for billed in here.server.bill)
    assert here.door.fault is None and here.gateway.over is None

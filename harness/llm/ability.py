"""What litellm's table says that a model can do. Asks no provider; a model that the table does not know can nothing."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.llm.keys import providers
from harness.llm.provider import library

TABLE = "model_prices_and_context_window_backup.json"


def has_tool_calls(model: str) -> bool:
    """Whether the model takes a list of tools and answers with calls of them."""
    row = _row(model)
    return bool(row.get("supports_function_calling") if row else library().supports_function_calling(model=model))


def takes_thinking(model: str) -> bool:
    """Whether a request may say how much the model thinks in Anthropic's words (`thinking`)."""
    return "thinking" in (library().get_supported_openai_params(model=model) or ())


def _row(model: str) -> dict[str, Any] | None:
    """The model's row, read without litellm's import of seconds; None: a provider or a row that litellm has to find."""
    provider, _, bare = model.partition("/")
    if provider not in providers():
        return None
    rows = (table().get(name) for name in (model, bare))
    return next((row for row in rows if row and row.get("litellm_provider") == provider), None)


@cache
def table() -> dict[str, dict[str, Any]]:
    """litellm's table of models as it was installed; empty without it."""
    found = find_spec("litellm")
    if found is None or found.origin is None:
        return {}
    file = Path(found.origin).with_name(TABLE)
    return dict(json.loads(file.read_bytes())) if file.is_file() else {}

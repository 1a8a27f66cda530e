"""The providers that most runs name, and the variable that holds the key of each: what a call can be held to without
litellm, whose import takes seconds.

Takes a model's name, gives a variable's. Facts of litellm's, which a test holds this table to. Never reads a key.
"""

from __future__ import annotations

_KEYS = {
    name: f"{name.upper()}_API_KEY"
    for name in ("anthropic", "cerebras", "deepseek", "groq", "mistral", "moonshot", "openai", "openrouter", "xai")
}


def key_variable(model: str) -> str | None:
    """The variable that holds the key for `model`, provider/name; None: litellm has to be asked."""
    provider, named, _ = model.partition("/")
    return _KEYS.get(provider) if named else None


def providers() -> tuple[str, ...]:
    """Those that are known here."""
    return tuple(_KEYS)

"""What litellm's table says that a model can do. Asks no provider; a model that the table does not know can nothing."""

from __future__ import annotations

from harness.llm.provider import library


def has_tool_calls(model: str) -> bool:
    """Whether the model takes a list of tools and answers with calls of them."""
    return bool(library().supports_function_calling(model=model))


def takes_thinking(model: str) -> bool:
    """Whether a request may say how much the model thinks in Anthropic's words (`thinking`)."""
    return "thinking" in (library().get_supported_openai_params(model=model) or ())

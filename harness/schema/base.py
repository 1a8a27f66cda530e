"""Record, the base of every document, and the one way from bytes to a record and back.

Takes JSON or TOML bytes, gives frozen records or a SchemaError that lists every fault with its path.
Refuses unknown keys, duplicate keys, NaN and infinities. Never touches the network or the clock.
"""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from harness.errors import Problem, SchemaError

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
KebabId = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
SemVer = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
Submitter = Annotated[str, Field(pattern=r"^(github:[1-9][0-9]{0,19}|gymboard|local)$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Timestamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
HttpsUrl = Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]+(:\d+)?(/[^\s]*)?$", max_length=2048)]


def _safe_name(name: str) -> str:
    """One path component or a relative path that cannot leave its folder, printable ASCII only."""
    path = PurePosixPath(name)
    bad = path.is_absolute() or any(part in ("..", "", ".") for part in name.split("/")) or "\\" in name
    if bad or not name.isascii() or not name.isprintable() or len(name) > 200:
        raise ValueError("must be a relative path inside its folder: no '..', no leading '/', printable ASCII")
    return name


SafePath = Annotated[str, AfterValidator(_safe_name)]


class Record(BaseModel):
    """Frozen, strict, closed: what is not declared is an error, and no number is NaN or infinite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def from_json(cls, data: bytes | str, subject: str = "") -> Self:
        """Parse one JSON document. Raises SchemaError with the path of every fault."""
        return cls._validate(parse_json(data, subject or cls.__name__), subject)

    @classmethod
    def from_toml(cls, text: str, subject: str = "") -> Self:
        """Parse one TOML document. Raises SchemaError with the path of every fault."""
        try:
            return cls._validate(tomllib.loads(text), subject)
        except tomllib.TOMLDecodeError as error:
            raise SchemaError(subject or cls.__name__, [Problem("(document)", f"not TOML: {error}")]) from None

    @classmethod
    def _validate(cls, tree: Any, subject: str) -> Self:
        try:
            return cls.model_validate_json(json.dumps(tree, allow_nan=True))
        except ValidationError as error:
            raise SchemaError(subject or cls.__name__, _problems(error)) from None
        except (TypeError, ValueError) as error:
            raise SchemaError(subject or cls.__name__, [Problem("(document)", str(error))]) from None

    def canonical(self) -> bytes:
        """The one byte string of this record: sorted keys, shortest round-trip floats, UTF-8, one final newline."""
        return canonical_bytes(self.model_dump(mode="json", exclude_none=True))


def canonical_bytes(tree: Any) -> bytes:
    """Canonical JSON of plain data. Raises ValueError on NaN and infinities."""
    return (json.dumps(tree, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parse_json(data: bytes | str, subject: str) -> Any:
    """JSON -> plain data, refusing duplicate keys, NaN, infinities and overflowing floats."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in items:
            if key in seen:
                raise ValueError(f"duplicate key {key!r}")
            seen[key] = value
        return seen

    def constant(name: str) -> float:
        raise ValueError(f"{name} is not a number here")

    def number(text: str) -> float:
        value = float(text)
        return value if math.isfinite(value) else constant(text)

    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=number)
    except (ValueError, RecursionError) as error:
        raise SchemaError(subject, [Problem("(document)", f"not acceptable JSON: {error}")]) from None


def _problems(error: ValidationError) -> list[Problem]:
    def path(loc: tuple[int | str, ...]) -> str:
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
        return text.lstrip(".") or "(document)"

    return [Problem(path(fault["loc"]), fault["msg"]) for fault in error.errors(include_url=False)]

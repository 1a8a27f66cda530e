"""Record, the base of every document, and the one way from bytes to a record and back.

Takes JSON or TOML bytes, gives frozen records or a SchemaError that lists every fault with its path.
Never touches the network or the clock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from harness.errors import Problem, SchemaError
from harness.schema.document import canonical_bytes, capped, parse_json, read_json, read_toml, shown_path

__all__ = ["canonical_bytes", "parse_json"]


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _one_line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be one line of printable text")
    return text


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
KebabId = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
SemVer = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9}){2}$")]
Submitter = Annotated[str, Field(pattern=r"^(github:[1-9][0-9]{0,19}|gymboard|local)$")]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]
Timestamp = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"), AfterValidator(_moment)
]
HttpsUrl = Annotated[
    str,
    Field(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]*)?$", max_length=2048),
]
PublicKey = Annotated[str, Field(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$", max_length=8192)]
"""`<type> <base64>` of an OpenSSH key, as GitHub publishes it."""
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]


def _safe_name(name: str) -> str:
    """One path component or a relative path that cannot leave its folder, printable ASCII only."""
    parts = name.split("/")
    bad = ".." in parts or "." in parts or "" in parts or "\\" in name or name[:1] == "-"
    if bad or not name.isascii() or not name.isprintable() or len(name) > 200:
        raise ValueError("must be a relative path inside its folder: no '..', no leading '/', printable ASCII")
    return name


SafePath = Annotated[str, AfterValidator(_safe_name)]


class Record(BaseModel):
    """Frozen, strict, closed: what is not declared is an error, and no number is NaN or infinite.

    A validator is built when it is first used: a command uses few of them, and all take 0.1 s.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    @classmethod
    def from_json(cls, data: bytes | str, subject: str = "") -> Self:
        """Parse one JSON document. Raises SchemaError with the path of every fault."""
        tree, faults = read_json(data)
        if tree is None and faults:
            raise SchemaError(subject or cls.__name__, faults)
        return cls._validate(data, faults, subject or cls.__name__)

    @classmethod
    def from_toml(cls, text: str, subject: str = "") -> Self:
        """Parse one TOML document. Raises SchemaError with the path of every fault."""
        tree, faults = read_toml(text)
        return cls._validate(json.dumps(tree, default=str), faults, subject or cls.__name__)

    @classmethod
    def _validate(cls, data: bytes | str, faults: list[Problem], subject: str) -> Self:
        """The record, when neither the document (`faults`) nor what it says is wrong."""
        try:
            record = cls.model_validate_json(data)
        except ValidationError as error:
            known = {problem.path for problem in faults} | ({"(document)"} if faults else set())
            faults += [problem for problem in _problems(error) if problem.path not in known]
        if faults:
            raise SchemaError(subject, capped(faults))
        return record

    def canonical(self) -> bytes:
        """The one byte string of this record: sorted keys, shortest round-trip floats, UTF-8, one final newline."""
        return canonical_bytes(self.model_dump(mode="json", exclude_none=True))


class Inconsistent(ValueError):
    """Raised by a record's own validator to name several faults, each with its path inside that record."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def _problems(error: ValidationError) -> list[Problem]:
    found: list[Problem] = []
    faults = error.errors(include_url=False, include_input=False)
    above = {fault["loc"][:depth] for fault in faults for depth in range(len(fault["loc"]))}
    for fault in faults:
        if fault["type"] == "too_short" and fault["loc"] in above:
            continue  # pydantic counts only the sound items: the fault is the item's
        cause = fault.get("ctx", {}).get("error")
        parts = cause.problems if isinstance(cause, Inconsistent) else [Problem("", fault["msg"])]
        found += (Problem(_within(fault["loc"], part.path), part.message) for part in parts)
    return found


def _within(loc: tuple[int | str, ...], path: str) -> str:
    return shown_path((*loc, path)) if path else shown_path(loc)

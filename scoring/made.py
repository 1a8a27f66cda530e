"""Records that are made when they are looked at: a board's cells and flags, which as objects would be a gigabyte.

Takes a number, gives the record at that place; to a reader it is a tuple. What it is made from has been checked as a
whole by whoever hands it over. Never keeps a record.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from types import GenericAlias
from typing import Any, TypeVar, get_args, overload

from pydantic import BaseModel
from pydantic_core import CoreSchema, core_schema

R = TypeVar("R", bound=BaseModel)


class Made(Sequence[R]):
    """A tuple of records of which none exists until somebody looks."""

    @abstractmethod
    def make(self, place: int) -> R:
        """The record at a place from 0 to the length."""

    def some(self, places: range) -> tuple[R, ...]:
        """Those at these places."""
        return tuple(map(self.make, places))

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[R, ...]: ...
    def __getitem__(self, place: int | slice) -> R | tuple[R, ...]:
        if isinstance(place, slice):
            return self.some(range(len(self))[place])
        return self.make(range(len(self))[place])

    def __iter__(self) -> Iterator[R]:
        return map(self.make, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def tuple_or_made(field: Any, schema: Callable[[Any], CoreSchema]) -> CoreSchema:
    """For a field of sequences: read as a tuple is; records that are made are what they say."""
    [kind] = get_args(field)
    read = schema(GenericAlias(tuple, (kind, ...)))
    own = core_schema.no_info_wrap_validator_function(_as_made, read)
    return core_schema.json_or_python_schema(read, own)


def _as_made(value: Any, otherwise: Callable[[Any], Any]) -> Any:
    return value if isinstance(value, Made) else otherwise(value)


def written(value: Any, otherwise: Callable[[Any], Any]) -> Any:
    """For a field's serializer: as a tuple is written."""
    return otherwise(tuple(value))


def trusted(kind: type[R], fields: dict[str, Any]) -> R:
    """A record of exactly these fields, all of them and in the order of the class, which were checked before."""
    record = kind.__new__(kind)
    object.__setattr__(record, "__dict__", fields)
    object.__setattr__(record, "__pydantic_fields_set__", _names(kind))
    object.__setattr__(record, "__pydantic_extra__", None)
    object.__setattr__(record, "__pydantic_private__", None)
    return record


_NAMES: dict[type[BaseModel], set[str]] = {}


def _names(kind: type[BaseModel]) -> set[str]:
    """One set for all records of a kind: sets of their own would be half of their memory."""
    if kind not in _NAMES:
        _NAMES[kind] = set(kind.model_fields)
    return _NAMES[kind]


def lean(record: R) -> R:
    """The record without a set of its own of the names of the fields that were given: those sets would be half of a
    board's memory, and nothing ever changes one."""
    names = record.model_fields_set
    object.__setattr__(record, "__pydantic_fields_set__", _GIVEN.setdefault(frozenset(names), names))
    return record


_GIVEN: dict[frozenset[str], set[str]] = {}

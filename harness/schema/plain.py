"""The same schema as plain dictionaries: every field's type and bound, without a record for each object.

Takes a Record class, gives a validator of JSON bytes; its dictionaries hold the fields that the bytes hold, defaults
left out. Takes two thirds of the records' time. Rules of a whole record (its model validators) are not applied: this is
for bytes that were read strictly before.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

Tree = Mapping[str, Any]


@cache
def plain(record: type[BaseModel]) -> TypeAdapter[Tree]:
    """`plain(Bundle).validate_json(data)`: a dictionary, or pydantic's ValidationError."""
    return TypeAdapter(_dictionary(record))


@cache
def _dictionary(record: type[BaseModel]) -> Any:
    fields: dict[str, Any] = {}
    for name, field in record.model_fields.items():
        kind = _plain(field.annotation)
        bounded = Annotated[(kind, *field.metadata)] if field.metadata else kind
        fields[name] = bounded if field.is_required() else NotRequired[bounded]
    make: Any = TypedDict
    return with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))(make(record.__name__, fields))


def _plain(kind: Any) -> Any:
    """A type with its records replaced by dictionaries."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _dictionary(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return Annotated[(_plain(parts[0]), *parts[1:])]
    if origin in (Union, UnionType):
        return Union[tuple(_plain(part) for part in parts)]  # noqa: UP007 - made of a tuple
    if origin in (tuple, dict):
        return origin[tuple(part if part is Ellipsis else _plain(part) for part in parts)]
    return kind

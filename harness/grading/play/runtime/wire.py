"""The frames between referee and player: packs and unpacks them, reads and writes them on a socket by a deadline.

Takes hostile bytes, gives a Message or a WireError; never allocates more than the caps, never waits past the
deadline. Layout (all integers little-endian): 4 bytes `GYM1`, u32 length of the head, u32 length of the body, head,
body. The head is a JSON object {"kind": str, "seq": int, "meta": object, "arrays": [[name, dtype, shape], ...]}; the
body is the arrays' elements in that order, row-major, without padding. numpy is loaded by the first frame that
carries an array.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MAGIC = b"GYM1"
HEADER = struct.Struct("<4sII")
HEAD_CAP = 8 * 2**20
BODY_CAP = 64 * 2**20
ITEM_BYTES = {"i1": 1, "u1": 1, "i2": 2, "i4": 4, "i8": 8, "f4": 4, "f8": 8}
MAX_ARRAYS, MAX_DIMENSIONS, MAX_NAME = 32, 4, 32


class WireError(Exception):
    """The other side sent something that is no frame, closed the connection, or was too slow."""


@dataclass(frozen=True)
class Message:
    """One frame. `arrays` are read-only numpy arrays."""

    kind: str
    seq: int
    meta: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)

    def array(self, name: str, dtype: str, shape: Sequence[int]) -> Array:
        """The array `name`, exactly of this dtype (a key of ITEM_BYTES) and shape, or a WireError saying what came."""
        if name not in self.arrays:
            raise WireError(f"no array {name!r} in the {self.kind!r} frame; it has {sorted(self.arrays)}")
        found = self.arrays[name]
        if (found.dtype.str[1:], found.shape) != (dtype, tuple(shape)):
            raise WireError(f"array {name!r} is {found.dtype.str[1:]} {found.shape}, wanted {dtype} {tuple(shape)}")
        return found


def pack(
    kind: str, seq: int, meta: Mapping[str, Any] | None = None, arrays: Mapping[str, Array] | None = None
) -> bytes:
    """One frame. Raises TypeError or ValueError when `meta` is no JSON or an array's dtype is not in ITEM_BYTES."""
    table, parts = [], []
    for name, array in (arrays or {}).items():
        dtype = array.dtype.str[1:]
        if dtype not in ITEM_BYTES:
            raise TypeError(f"array {name!r} has dtype {array.dtype}; frames carry {', '.join(ITEM_BYTES)}")
        table.append([name, dtype, list(array.shape)])
        parts.append(array.astype("<" + dtype, order="C", copy=False).tobytes())
    tree = {"kind": kind, "seq": seq, "meta": dict(meta or {}), "arrays": table}
    head = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()
    body = b"".join(parts)
    if len(head) > HEAD_CAP or len(body) > BODY_CAP:
        raise ValueError(f"frame too large: head {len(head)} of {HEAD_CAP} bytes, body {len(body)} of {BODY_CAP}")
    return HEADER.pack(MAGIC, len(head), len(body)) + head + body


def unpack(header: bytes, head: bytes, body: bytes) -> Message:
    """A frame whose parts were read in full. Raises WireError on every departure from the layout."""
    if lengths(header) != (len(head), len(body)):
        raise WireError("the header's lengths are not the lengths of the parts")
    try:
        tree = json.loads(head, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise WireError(f"the head is not JSON: {str(error)[:200]}") from None
    if not isinstance(tree, dict) or set(tree) != {"kind", "seq", "meta", "arrays"}:
        raise WireError('the head is not an object with exactly "kind", "seq", "meta", "arrays"')
    kind, seq, meta = tree["kind"], tree["seq"], tree["meta"]
    if not _name(kind) or type(seq) is not int or not 0 <= seq < 2**53 or not isinstance(meta, dict):
        raise WireError("the head's kind must be a short name, seq an integer from 0, meta an object")
    return Message(kind, seq, meta, _arrays(tree["arrays"], body))


def lengths(header: bytes) -> tuple[int, int]:
    """(head, body) in bytes as the 12 header bytes announce them. Raises WireError: wrong mark, above the caps."""
    magic, head, body = HEADER.unpack(header)
    if magic != MAGIC:
        raise WireError(f"a frame begins with {MAGIC!r}, not {magic!r}")
    if head > HEAD_CAP or body > BODY_CAP:
        raise WireError(f"frame too large: head {head} of {HEAD_CAP} bytes, body {body} of {BODY_CAP}")
    return head, body


def send(connection: socket.socket, frame: bytes, deadline: float) -> None:
    """Write a frame before `deadline` (time.monotonic). Raises WireError."""
    try:
        connection.settimeout(_left(deadline))
        connection.sendall(frame)
    except TimeoutError:
        raise WireError("the other side did not read in time") from None
    except OSError as error:
        raise WireError(f"the connection broke: {error}") from None


def receive(connection: socket.socket, deadline: float) -> Message:
    """Read one frame before `deadline` (time.monotonic). Raises WireError."""
    header = _read(connection, HEADER.size, deadline)
    head_bytes, body_bytes = lengths(header)
    head = _read(connection, head_bytes, deadline)
    return unpack(header, head, _read(connection, body_bytes, deadline))


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    parts, missing = [], size
    while missing:
        try:
            connection.settimeout(_left(deadline))
            part = connection.recv(min(missing, 2**20))
        except TimeoutError:
            raise WireError("no complete answer in time") from None
        except OSError as error:
            raise WireError(f"the connection broke: {error}") from None
        if not part:
            raise WireError("the connection was closed")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number here")


def _name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isascii() and value.isprintable()


def _arrays(table: object, body: bytes) -> dict[str, Array]:
    if not isinstance(table, list) or len(table) > MAX_ARRAYS:
        raise WireError(f"arrays must be a list of at most {MAX_ARRAYS}")
    offset, found = 0, {}
    for row in table:
        name, dtype, shape = _row(row)
        if name in found:
            raise WireError(f"two arrays are called {name!r}")
        count = prod(shape)
        if count * ITEM_BYTES[dtype] > len(body) - offset:
            raise WireError(f"array {name!r} is longer than the body")
        found[name] = _view(body, dtype, shape, offset, count)
        offset += count * ITEM_BYTES[dtype]
    if offset != len(body):
        raise WireError(f"the body has {len(body)} bytes, the arrays {offset}")
    return found


def _row(row: object) -> tuple[str, str, list[int]]:
    if not isinstance(row, list) or len(row) != 3:
        raise WireError("an array is announced as [name, dtype, shape]")
    name, dtype, shape = row
    if not isinstance(name, str) or not _name(name) or not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise WireError(f"an array needs a short name and one of the dtypes {', '.join(ITEM_BYTES)}")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise WireError(f"a shape is a list of at most {MAX_DIMENSIONS} integers")
    if any(type(size) is not int or not 0 <= size <= BODY_CAP for size in shape):
        raise WireError("the sizes of a shape are integers from 0")
    return name, dtype, shape


def _view(body: bytes, dtype: str, shape: list[int], offset: int, count: int) -> Array:
    import numpy as np

    if prod(size or 1 for size in shape) > BODY_CAP:  # numpy refuses such a shape even when a 0 makes it empty
        raise WireError(f"the shape {shape} is larger than a body can be")
    if not count:
        return np.zeros(shape, "<" + dtype)
    return np.frombuffer(body, "<" + dtype, count, offset).reshape(shape)

"""What a page reads of a bundle is what the whole record says, and it reads so little only of bytes that count."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from harness.errors import SchemaError
from harness.schema.bundle import Bundle
from scoring.brief import Brief, brief
from scoring.load import Bundles
from tests.benchmarks.synthetic import write_board
from tests.scoring.conftest import COMMITTED


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    board = tmp_path_factory.mktemp("board") / "submissions"
    write_board(board, 3, 7)
    return [file.read_bytes() for folder in (board, COMMITTED) for file in sorted(folder.glob("*/bundle.json"))]


def pairs(short: Any, whole: Any) -> Iterator[tuple[Any, Any]]:
    """Every value of the short record beside the whole one's."""
    if isinstance(short, BaseModel):
        for name in type(short).model_fields:
            yield from pairs(getattr(short, name), getattr(whole, name))
    elif isinstance(short, tuple) and isinstance(whole, tuple):
        assert len(short) == len(whole)
        for one, other in zip(short, whole, strict=True):
            yield from pairs(one, other)
    else:
        yield short, whole


def test_every_field_is_that_of_the_whole_record(bundles: list[bytes]) -> None:
    for data in bundles:
        found = list(pairs(brief(data), Bundle.model_validate_json(data)))
        assert len(found) > 100
        assert all(one == other for one, other in found)
        whole = Bundle.model_validate_json(data)
        assert [one.key for one in brief(data).episodes] == [one.key for one in whole.episodes]


def test_only_the_bytes_that_count_are_read_in_brief(tmp_path: Path, bundles: list[bytes]) -> None:
    (tmp_path / "one").mkdir()
    file = tmp_path / "one" / "bundle.json"
    file.write_bytes(bundles[0])
    found = Bundles(tmp_path, counts={"one": hashlib.sha256(bundles[0]).hexdigest()})
    assert isinstance(found["one"].bundle, Brief)
    assert isinstance(Bundles(tmp_path)["one"].bundle, Bundle)
    file.write_bytes(bundles[1])
    assert isinstance(found["one"].bundle, Bundle)
    file.write_bytes(bundles[0].replace(b'"duration_s": ', b'"duration_s": -', 1))
    with pytest.raises(SchemaError, match="duration_s"):
        found["one"]

"""What our own job found counts when it is the file that the ledger names, about these bytes, of these artifacts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.signing import make_demo_key
from scoring.facts.read import read_facts
from scoring.ledger import LEDGER, VERDICTS, RegradeVerdict, Verdicts, append_line, append_regrade
from tests.scoring.builder import NOW, artifact, everywhere, include, regrade, run_bundle, verdict, write_entry

VALUES = everywhere({"house-price": 0.9}, seeds=2)


@pytest.fixture
def entry(submissions: Path, tmp_path: Path) -> Path:
    folder = write_entry(submissions, run_bundle("mine", VALUES), tmp_path / "keys")
    include(submissions, folder)
    return folder


def about(entry: Path) -> dict[str, str]:
    digest = hashlib.sha256((entry / "bundle.json").read_bytes()).hexdigest()
    return {"entry": "mine", "bundle_sha256": digest}


def name_bytes(submissions: Path, entry: Path, data: bytes) -> Path:
    """A file of verdicts as somebody with an editor would bring it in."""
    sha256 = hashlib.sha256(data).hexdigest()
    file = submissions / VERDICTS / f"{sha256}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    line = {**about(entry), "time": NOW, "kind": "regrade", "reason": "test", "verdicts_sha256": sha256}
    append_line(submissions / LEDGER, line)
    return file


def document(entry: Path, value: float = 0.8, **other: str) -> Verdicts:
    found = RegradeVerdict(
        task="house-price",
        seed=0,
        attempt=0,
        artifact_sha256=artifact("house-price", 0, 0),
        verdict=verdict("house-price", value),
    )
    return Verdicts.model_validate({**about(entry), **other, "verdicts": (found,)})


def link(file: Path) -> None:
    file.rename(file.with_suffix(".elsewhere"))
    file.symlink_to(file.with_suffix(".elsewhere").name)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (Path.unlink, "missing or not a regular file"),
        (link, "missing or not a regular file"),
        (lambda file: file.write_bytes(file.read_bytes().replace(b"0.8", b"0.9")), "not the ones"),
        (lambda file: file.write_bytes(b""), "not the ones"),
    ],
)
def test_a_file_that_is_not_the_named_one_rejects_the_entry(
    submissions: Path, entry: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    file = name_bytes(submissions, entry, document(entry).canonical())
    cache = submissions.parent / "cache"
    assert read_facts(submissions, cache=cache).rejections == ()
    spoil(file)
    [(folder, [said])] = read_facts(submissions, cache=cache).rejections
    assert folder == "mine"
    assert f"{VERDICTS}/{file.name}" in said
    assert reason in said


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data.replace(b"\n", b"\n\n"), "canonical form"),
        (lambda data: data.replace(b'"seed": 0', b'"seed": 1, "seed": 0'), "canonical form"),
        (lambda data: data.replace(b"0.8", b"8e-1"), "canonical form"),
        (lambda data: data.replace(b'"entry": "mine"', b'"entry": "other"'), "another bundle"),
        (lambda data: data.replace(b"0.8", b"NaN"), "not a finite number"),
        (lambda data: data.replace(b'"verdicts"', b'"verdictz"'), "verdictz"),
        (lambda data: data[:-20], "not acceptable JSON"),
    ],
)
def test_a_named_file_that_says_something_odd_rejects_the_entry(
    submissions: Path, entry: Path, change: Callable[[bytes], bytes], reason: str
) -> None:
    data = document(entry).canonical()
    assert change(data) != data
    name_bytes(submissions, entry, change(data))
    [(_, reasons)] = read_facts(submissions).rejections
    assert reason in " ".join(reasons)


def test_another_bundles_verdicts_are_not_this_ones(submissions: Path, entry: Path) -> None:
    name_bytes(submissions, entry, document(entry, bundle_sha256="ab" * 32).canonical())
    assert "another bundle" in read_facts(submissions).rejections[0][1][0]


def test_small_numbers_are_canonical_as_python_writes_them(submissions: Path, entry: Path) -> None:
    name_bytes(submissions, entry, document(entry, value=1e-07).canonical())
    with read_facts(submissions) as facts:
        assert facts.db.execute("SELECT value FROM attempts WHERE source = 'regraded'").fetchall() == [(1e-07,)]


def test_the_newest_verdict_on_the_artifact_that_the_bundle_names_counts(submissions: Path, entry: Path) -> None:
    def found(value: float, digest: str, split: str = "sealed") -> list[RegradeVerdict]:
        graded = verdict("house-price", value).model_copy(update={"split": split})
        return [RegradeVerdict(task="house-price", seed=0, attempt=0, artifact_sha256=digest, verdict=graded)]

    own = artifact("house-price", 0, 0)
    said = {**about(entry), "time": NOW, "reason": "test"}
    for verdicts in (found(0.1, own), found(0.2, own), found(0.3, "ab" * 32), found(0.4, own, "validation")):
        append_regrade(submissions, said, verdicts)
    with read_facts(submissions) as facts:
        assert facts.db.execute("SELECT seed, value FROM attempts WHERE source = 'regraded'").fetchall() == [(0, 0.2)]
        assert facts.db.execute("SELECT level FROM entries").fetchone() == ("signed",), "seed 1 was not regraded"
    regrade(submissions, entry, VALUES)
    with read_facts(submissions) as facts:
        assert facts.db.execute("SELECT level FROM entries").fetchone() == ("regraded",)


def test_a_signature_by_another_key_than_the_included_one_is_refused(
    submissions: Path, entry: Path, tmp_path: Path
) -> None:
    from harness.signing import sign

    cache = tmp_path / "cache"
    assert read_facts(submissions, cache=cache).rejections == ()
    sign(entry, make_demo_key(tmp_path / "another"))
    [(_, [reason])] = read_facts(submissions, cache=cache).rejections
    assert "but included with the key" in reason
    (entry / "bundle.json.sig").unlink()
    [(_, [reason])] = read_facts(submissions, cache=cache).rejections
    assert "bundle.json.sig is missing" in reason

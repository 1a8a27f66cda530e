"""Notes in a DuckDB file: order, sharing, kills, torn and foreign files, hostile text."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from harness.memory.minilm import load_minilm
from harness.memory.notes import Note, Notes, Unusable


class Letters:
    """Counts of a, b and c: an embedder whose similarities can be computed by hand."""

    name = "letters"

    def embed(self, text: str) -> Sequence[float]:
        return [float(text.count(letter)) for letter in "abc"]


def notes(file: Path, scope: str = "one") -> Notes:
    return Notes(file, scope, Letters())


def texts(found: Sequence[object]) -> list[str]:
    return [each.note.text for each in found]  # type: ignore[attr-defined]


def test_the_nearest_first_and_of_equal_ones_the_older(tmp_path: Path) -> None:
    mine = notes(tmp_path / "n.duckdb")
    for text in ("b", "a 1", "aab", "a 2", "a 3", "c"):
        mine.write(Note(text))
    assert texts(mine.read("a", 4)) == ["a 1", "a 2", "a 3", "aab"]
    assert [round(each.similarity, 4) for each in mine.read("a", 4)] == [1.0, 1.0, 1.0, 0.8944]
    assert texts(mine.read("a", 1)) == ["a 1"]


def test_a_note_comes_back_whole_and_by_its_tag(tmp_path: Path) -> None:
    note = Note("a", ("lr", "cnn"), {"rmse": 0.25}, {"lr": 0.1, "deep": {"layers": [1, 2]}, "on": True})
    mine = notes(tmp_path / "n.duckdb")
    mine.write(note)
    mine.write(Note("a", ("lr",)))
    assert [found.note for found in mine.read("a", 9, tag="cnn")] == [note]
    assert mine.read("a", 9, tag="c") == []
    there = mine.overview(1)
    assert (there.total, there.tags, texts(there.latest)) == (2, (("lr", 2), ("cnn", 1)), ["a"])


@pytest.mark.parametrize(
    "text", ["a'); DROP TABLE notes; --", "a\0b\x1b[2J\u202e", "a" * 100_000, "a {$scope} ? $1 %s"]
)
def test_hostile_text_is_text(tmp_path: Path, text: str) -> None:
    mine = notes(tmp_path / "n.duckdb")
    mine.write(Note(text, (text,), {text: 1.0}, {text: text}))
    assert mine.read("a", 5, tag=text)[0].note == Note(text, (text,), {text: 1.0}, {text: text})
    assert mine.overview(9).total == 1


@pytest.mark.parametrize("text", ["xyz", ""])
def test_a_text_without_a_direction_is_refused(tmp_path: Path, text: str) -> None:
    mine = notes(tmp_path / "n.duckdb")
    with pytest.raises(Unusable, match="no vector"):
        mine.write(Note(text))
    mine.write(Note("a"))
    with pytest.raises(Unusable, match="no vector"):
        mine.read(text, 3)


def test_an_episode_that_is_begun_again_writes_the_same_notes_once(tmp_path: Path) -> None:
    file = tmp_path / "n.duckdb"
    first = notes(file)
    for text in ("a 1", "a 2", "a 3"):
        first.write(Note(text))
    again = notes(file)
    assert again.read("a", 9) == []  # it has not come to them yet
    again.write(Note("a 1"))
    assert texts(again.read("a", 9)) == ["a 1"]
    assert texts(notes(file, "other").read("a", 9)) == ["a 1", "a 2", "a 3"]
    again.write(Note("a other way"))
    assert texts(again.read("a", 9)) == ["a 1", "a other way"]
    assert texts(notes(file, "other").read("a", 9)) == ["a 1", "a other way"]


def _write_many(file: Path, scope: str) -> None:
    mine = notes(file, scope)
    for number in range(5):
        mine.write(Note(f"a {scope} {number}"))


def test_processes_share_one_file(tmp_path: Path) -> None:
    file = tmp_path / "n.duckdb"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(file, f"s{n}")) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    found = notes(file, "reader").read("a", 100)
    assert len(found) == 15
    for scope in ("s0", "s1", "s2"):
        assert [t for t in texts(found) if scope in t] == [f"a {scope} {n}" for n in range(5)]


def _write_until_killed(file: Path, ready: object) -> None:
    mine = notes(file, "killed")
    for number in range(10_000):
        mine.write(Note(f"a {number}"))
        ready.send(number)  # type: ignore[attr-defined]


def test_kill_in_the_middle_keeps_every_note_that_was_told(tmp_path: Path) -> None:
    file = tmp_path / "n.duckdb"
    context = multiprocessing.get_context("spawn")
    there, here = context.Pipe(duplex=False)
    worker = context.Process(target=_write_until_killed, args=(file, here))
    worker.start()
    while there.recv() < 3:
        pass
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    told = 3
    while there.poll():
        told = there.recv()
    found = texts(notes(file, "reader").read("a", 10_000))
    assert found[: told + 1] == [f"a {n}" for n in range(told + 1)]
    assert len(found) <= told + 2


@pytest.mark.parametrize("keep", [1, 100, 4096, 20_000])
def test_a_torn_file_is_told_and_kept(tmp_path: Path, keep: int) -> None:
    file = tmp_path / "n.duckdb"
    notes(file).write(Note("a"))
    torn = file.read_bytes()[:keep]
    file.write_bytes(torn)
    with pytest.raises(Unusable, match=r"n\.duckdb cannot be read"):
        notes(file).overview(1)
    with pytest.raises(Unusable):
        notes(file).write(Note("a"))
    assert file.read_bytes() == torn


def test_an_empty_file_is_begun(tmp_path: Path) -> None:
    (tmp_path / "n.duckdb").touch()
    assert notes(tmp_path / "n.duckdb").write(Note("a")) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE notes (x INT)",
        "CREATE TABLE notes (seq BIGINT, scope VARCHAR, number BIGINT, text VARCHAR, tags VARCHAR[], scores VARCHAR, "
        "config VARCHAR, embedding VARCHAR)",
        "CREATE VIEW notes AS SELECT content AS text FROM read_text('/etc/passwd')",
    ],
)
def test_another_database_is_refused(tmp_path: Path, sql: str) -> None:
    file = tmp_path / "n.duckdb"
    with duckdb.connect(str(file)) as db:
        db.execute(sql)
    with pytest.raises(Unusable):
        notes(file).write(Note("a"))


def test_notes_of_another_embedder_are_not_compared(tmp_path: Path) -> None:
    notes(tmp_path / "n.duckdb").write(Note("a"))
    other = Letters()
    other.name = "others"
    with pytest.raises(Unusable, match="was embedded by letters, this run embeds by others"):
        Notes(tmp_path / "n.duckdb", "one", other).overview(1)


PUBLISHED = {
    ("The weather is lovely today.", "It's so sunny outside!"): 0.6660,
    ("The weather is lovely today.", "He drove to the stadium."): 0.1046,
    ("It's so sunny outside!", "He drove to the stadium."): 0.1411,
    ("The new movie is awesome", "The new movie is so great"): 0.8939,
    ("The cat sits outside", "The dog plays in the garden"): 0.2838,
    ("A man is playing guitar", "A woman watches TV"): -0.0327,
}
"""What sbert.net states of all-MiniLM-L6-v2 (usage and semantic textual similarity pages, four decimals)."""


def test_minilm_gives_the_published_similarities(tmp_path: Path) -> None:
    model = load_minilm()
    for (one, other), published in PUBLISHED.items():
        mine = Notes(tmp_path / f"{abs(hash(one + other))}.duckdb", "one", model)
        mine.write(Note(other))
        assert mine.read(one, 1)[0].similarity == pytest.approx(published, abs=6e-5)


def test_minilm_reads_at_most_its_window() -> None:
    model = load_minilm()
    whole = model.embed("word " * 254)
    assert whole == pytest.approx(model.embed("word " * 254 + "other " * 5000), abs=1e-6)
    assert whole != pytest.approx(model.embed("other " + "word " * 253), abs=1e-4)

"""Where published trajectories come from, and that no other bytes than the recorded ones are ever shown."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest
import zstandard

from harness.data import download
from harness.errors import DataError, UsageError
from harness.home import home
from harness.importers import published
from harness.importers.published import ARCHIVE, Published, catalogue, fetch, find
from harness.importers.traj import read_traj

CONTENT = b'{"not": "read here"}'


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYMBOARD_HOME", str(tmp_path / "home"))


@pytest.fixture
def wanted() -> Published:
    return Published("gpt-4o", "three-sat", 0, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def put(folder: Path, wanted: Published, content: bytes) -> None:
    (folder / wanted.path).parent.mkdir(parents=True, exist_ok=True)
    (folder / wanted.path).write_bytes(content)


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "SOURCE", "https://127.0.0.1:9/")
    monkeypatch.setattr(download, "TRIES", 1)  # the waits between tries are its own tests' matter


def test_had_once_then_kept(tmp_path: Path, unreachable: None, wanted: Published) -> None:
    put(tmp_path, wanted, CONTENT)
    assert fetch(wanted, tmp_path) == CONTENT
    (tmp_path / wanted.path).unlink()
    assert fetch(wanted) == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"\n", b"x" * len(CONTENT)])
def test_other_bytes_are_refused_and_not_kept(
    tmp_path: Path, unreachable: None, wanted: Published, content: bytes
) -> None:
    put(tmp_path, wanted, content)
    with pytest.raises(DataError, match=wanted.sha256):
        fetch(wanted, tmp_path)
    with pytest.raises(DataError, match="could not be had"):
        fetch(wanted)


def test_a_spoiled_copy_is_replaced(tmp_path: Path, wanted: Published) -> None:
    put(tmp_path, wanted, CONTENT)
    fetch(wanted, tmp_path)
    cached = home() / "published" / wanted.sha256
    cached.chmod(0o644)
    cached.write_bytes(b"spoiled")
    assert fetch(wanted, tmp_path) == CONTENT


def test_without_a_network_it_says_where_else_to_look(unreachable: None, wanted: Published) -> None:
    with pytest.raises(DataError, match=rf"(?s)https://127.0.0.1:9/.*--mirror FOLDER .*{ARCHIVE}"):
        fetch(wanted)


def make_archive(folder: Path, wanted: Published, *, kind: bytes = tarfile.REGTYPE, cut: int | None = None) -> None:
    plain = folder / "plain.tar"
    (folder / "content").write_bytes(CONTENT)
    with tarfile.open(plain, "w") as archive:
        member = tarfile.TarInfo(wanted.path)
        member.type, member.linkname, member.size = kind, "content", len(CONTENT) if kind == tarfile.REGTYPE else 0
        with (folder / "content").open("rb") as content:
            archive.addfile(member, content)
    (folder / ARCHIVE).write_bytes(zstandard.compress(plain.read_bytes())[:cut])


def test_the_mirror_comes_before_the_network(tmp_path: Path, wanted: Published) -> None:
    make_archive(tmp_path, wanted)
    assert fetch(wanted, tmp_path) == CONTENT


def test_other_bytes_in_the_archive_are_refused(tmp_path: Path, wanted: Published) -> None:
    make_archive(tmp_path, wanted)
    with pytest.raises(DataError, match="published was " + "0" * 64):
        fetch(wanted._replace(sha256="0" * 64), tmp_path)


@pytest.mark.parametrize(("cut", "kind"), [(40, tarfile.REGTYPE), (0, tarfile.REGTYPE), (None, tarfile.SYMTYPE)])
def test_a_broken_mirror_is_named(tmp_path: Path, wanted: Published, cut: int | None, kind: bytes) -> None:
    make_archive(tmp_path, wanted, kind=kind, cut=cut)
    with pytest.raises(DataError, match=ARCHIVE):
        fetch(wanted, tmp_path)


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageError, match=r"Did you mean claude-3-5-sonnet/colonel-blotto\?"):
        find("claude-3-5-sonet/colonel-blotto", 0)
    with pytest.raises(UsageError, match=r"there are: 0, 1, 2$"):
        find("claude-3-5-sonnet/mnli", 3)


@pytest.mark.data
def test_the_catalogue_is_what_the_archive_holds(real_data: Path) -> None:
    digests = {}
    with (
        (real_data / ARCHIVE).open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as members,
    ):
        for member in members:
            if member.name.endswith(".traj") and (content := members.extractfile(member)):
                digests[member.name] = (member.size, hashlib.sha256(content.read()).hexdigest())
    assert {row.path: (row.size_bytes, row.sha256) for row in catalogue()} == digests


@pytest.mark.data
def test_every_published_game_episode_reads(real_data: Path) -> None:
    games = [row for row in catalogue() if row.upstream_task.domain == "game-theory"]
    assert len(games) == 60
    for row in games:
        episode = read_traj(fetch(row, real_data), row.name)
        assert all(set(step.scores) == {"Score"} for step in episode.steps if step.scores)

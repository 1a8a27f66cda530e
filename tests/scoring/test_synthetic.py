"""Synthetic boards are what they say: every document holds, one seed gives one board, entry i does not depend on N."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from harness.errors import SchemaError
from harness.schema.bundle import Bundle
from harness.signing import Signers, verify_signature
from harness.sshsig import public_key
from scoring.facts.read import read_facts
from scoring.ledger import LEDGER, VERDICTS, Verdicts, read_ledger
from scoring.yardstick import Season, season_yardstick
from tests.benchmarks.synthetic import write_board, write_season
from tests.benchmarks.synthetic_entry import make_entry

SEED = 7


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def values(index: int) -> list[tuple[object, ...]]:
    found = make_entry(SEED, index).found
    return [(v["task"], v["seed"], v["attempt"], json.dumps(v["verdict"]["metrics"])) for v in found]


def artifacts(index: int) -> set[str]:
    return {verdict["artifact_sha256"] for verdict in make_entry(SEED, index).found}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board") / "submissions"
    write_board(folder, 12, SEED, published=1, broken=1)
    return folder


def test_every_bundle_is_canonical_and_signed_by_the_key_of_its_inclusion(board: Path) -> None:
    keys = {line.entry: line for line in read_ledger(board / LEDGER) if line.kind == "inclusion"}
    for place in sorted(board.glob("entry-*")):
        data, signature = (place / "bundle.json").read_bytes(), (place / "bundle.json.sig").read_bytes()
        bundle = Bundle.from_json(data)
        assert (bundle.canonical(), bundle.entry.id) == (data, place.name)
        signed = verify_signature(data, signature, Signers.of_keys([public_key(signature)]), bundle.submitter)
        assert keys[place.name].key_fingerprint == signed.key_fingerprint
        assert keys[place.name].bundle_sha256 == hashlib.sha256(data).hexdigest()
    assert len(keys) == 12 + 1


def test_a_regrade_names_its_file_and_grades_artifacts_that_the_bundle_names(board: Path) -> None:
    regrades = [line for line in read_ledger(board / LEDGER) if line.kind == "regrade"]
    assert {f"{line.verdicts_sha256}.json" for line in regrades} == {file.name for file in (board / VERDICTS).iterdir()}
    assert len(regrades) == 11  # entry 7 is only signed
    for line in regrades:
        data = (board / VERDICTS / f"{line.verdicts_sha256}.json").read_bytes()
        found = Verdicts.from_json(data)
        assert (hashlib.sha256(data).hexdigest(), found.canonical()) == (line.verdicts_sha256, data)
        assert (found.entry, found.bundle_sha256) == (line.entry, line.bundle_sha256)
        bundle = Bundle.from_json((board / line.entry / "bundle.json").read_bytes())
        named = {
            (episode.task, episode.seed, attempt.index): attempt.artifact_sha256
            for episode in bundle.episodes
            for attempt in episode.attempts
        }
        graded = {(v.task, v.seed, v.attempt): v.artifact_sha256 for v in found.verdicts}
        assert graded.items() <= named.items()
        last = {(e.task, e.seed, len(e.attempts) - 1) for e in bundle.episodes if e.attempts}
        assert {key for key in last if named[key]} <= graded.keys()


def test_the_broken_one_and_no_other_fails_the_schema(board: Path) -> None:
    with pytest.raises(SchemaError):
        Bundle.from_json((board / "broken-00000" / "bundle.json").read_bytes())
    assert Bundle.from_json((board / "published-00000" / "bundle.json").read_bytes()).origin == "import"


def test_the_board_loads_but_for_the_broken_one(board: Path) -> None:
    facts = read_facts(board)
    assert [folder for folder, _ in facts.rejections] == ["broken-00000"]
    levels = dict(facts.db.execute("SELECT entry, level FROM entries").fetchall())
    lower = {"entry-00005": "signed", "entry-00007": "signed", "published-00000": "reported"}
    assert levels == dict.fromkeys((f"entry-{index:05}" for index in range(12)), "regraded") | lower


def test_one_seed_gives_one_board_and_another_another(board: Path, tmp_path: Path) -> None:
    write_board(tmp_path / "again", 12, SEED, published=1, broken=1)
    assert files(tmp_path / "again") == files(board)
    assert make_entry(SEED + 1, 0).bundle["episodes"] != make_entry(SEED, 0).bundle["episodes"]


def test_an_entry_is_the_same_on_a_smaller_board_and_the_ledger_begins_alike(board: Path, tmp_path: Path) -> None:
    write_board(tmp_path / "five", 5, SEED)
    small, large = files(tmp_path / "five"), files(board)
    ledger = small.pop(LEDGER)
    assert small.items() <= large.items()
    assert large[LEDGER].startswith(ledger)


def test_processes_write_what_one_process_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_board(tmp_path / "one", 6, SEED)
    monkeypatch.setattr("tests.benchmarks.synthetic.ALONE", 2)
    write_board(tmp_path / "many", 6, SEED)
    assert files(tmp_path / "many") == files(tmp_path / "one")


def test_a_twin_has_the_same_values_from_its_own_artifacts_and_a_copy_the_same_artifacts() -> None:
    assert values(11) == values(10)
    assert not artifacts(11) & artifacts(10)
    assert artifacts(13) == artifacts(12)
    assert make_entry(SEED, 13).bundle["submitter"] != make_entry(SEED, 12).bundle["submitter"]


def test_the_season_ranks_thirteen_tasks_and_fails_the_baseline_on_none(tmp_path: Path) -> None:
    write_season(tmp_path / "season.toml")
    season = Season.from_toml((tmp_path / "season.toml").read_text())
    yard = season_yardstick(season)
    assert len(yard.tasks) == 13
    ratios = [r / b if up else b / r for b, r, up in zip(yard.baseline, yard.reference, yard.maximise, strict=True)]
    worst = max(ratios) * (1 + season.eps)
    assert min(ratios) >= 1
    assert 10 ** (season.tau_max - 0.1) < worst <= 10**season.tau_max

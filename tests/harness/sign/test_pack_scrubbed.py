"""A run with secrets in it: packed without them, said so, its trace intact; the run itself stays as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.check import check
from harness.errors import CheckError
from harness.pack import pack
from harness.payload import part_name, read_logs
from harness.schema.bundle import Bundle
from harness.scrub import Scrubber
from tests.harness.sign.builder import ENTRY, SUBMITTER

KEY = "tiny-play/seed-0"
SECRET = "sk-" + "ant-api03-" + "a1B2c3D4" * 6


def spoil(run: Path) -> None:
    """The key in the actions, the observations, the patch and the reason why the episode ended."""
    for name in ("steps.jsonl", "trajectory.json"):
        file = run / KEY / name
        file.write_text(
            file.read_text().replace('"make"', f'"make K={SECRET}"').replace("line 2\\n", f"{SECRET}\\n", 1)
        )
    patch = run / KEY / "workspace.patch"
    patch.write_text(patch.read_text() + f"+who = 'ada@analytical.org'  # {SECRET}\n")
    file = run / KEY / "episode.json"
    tree = json.loads(file.read_bytes())
    tree["exit_detail"] = f"401 for {SECRET}"
    file.write_text(json.dumps(tree))


def logs(entry: Path, bundle: Bundle) -> str:
    episodes = {episode.key: episode for episode in bundle.episodes if episode.task == "tiny-play"}
    part = entry / part_name("tiny-play")
    every = [read_logs(part, episodes, log, 1 << 20) for log in ("steps.jsonl", "trajectory.json", "workspace.patch")]
    return "".join((data or b"").decode() for one in every for _, data in one)


def test_nothing_secret_is_packed_and_the_rules_agree(run: Path, tasks: Path) -> None:
    spoil(run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    scrubber, out = Scrubber(known={}), run.parent / ENTRY.id
    bundle = pack(run, out, ENTRY, SUBMITTER, tasks=tasks, scrubber=scrubber)
    assert SECRET not in logs(out, bundle) + (out / "bundle.json").read_text()
    assert "SCRUBBED-anthropic-key" in logs(out, bundle)
    assert scrubber.report()[f"{KEY}/workspace.patch"] == {"anthropic-key": 1, "email": 1}
    assert scrubber.report()[f"{KEY}/episode.json"] == {"anthropic-key": 1}
    assert not [one for one in check(out, root=tasks) if "GB309" in one.message or "GB310" in one.message]
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    again = pack(run, run.parent / "again", ENTRY, SUBMITTER, tasks=tasks, scrubber=Scrubber(known={}))
    assert again == bundle, "the same run gives the same bytes"


def test_the_board_finds_what_another_packer_left_in(run: Path, tasks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(run)
    monkeypatch.setattr(Scrubber, "log", lambda self, where, name, data: data)
    monkeypatch.setattr(Scrubber, "tree", lambda self, where, tree: tree)
    out = run.parent / ENTRY.id
    pack(run, out, ENTRY, SUBMITTER, tasks=tasks)
    monkeypatch.undo()
    found = [problem for problem in check(out, root=tasks) if "GB310" in problem.message]
    assert {problem.path for problem in found} == {"(document)", "episodes[0]"} and len(found) == 4
    assert all(SECRET not in str(problem) for problem in found)


def test_a_key_in_an_artifact_refuses_the_pack(run: Path, tasks: Path) -> None:
    [file, *_] = sorted((run / KEY / "attempts").rglob("strategy.py"))
    for path in sorted((run / KEY / "attempts").rglob("strategy.py")):
        path.write_text(path.read_text() + f"K = '{SECRET}'\n")
    with pytest.raises(CheckError, match=r"strategy\.py: holds 1 anthropic-key"):
        pack(run, run.parent / ENTRY.id, ENTRY, SUBMITTER, tasks=tasks)
    assert file.exists() and not (run.parent / ENTRY.id).exists()

"""Exported episodes: read back by the readers that they are for, filtered by evidence, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import gymboard
from harness.errors import UsageError
from harness.export.chat import row
from harness.export.source import episodes
from harness.schema.task import load_tasks
from harness.schema.trajectory import Trajectory
from harness.scrub import Scrubber
from tests.harness.sign.builder import Signed

KEY = "tiny-play/seed-0"
SECRET = "sk-" + "ant-api03-" + "a1B2c3D4" * 6


def export(tasks: Path, *words: object) -> Any:
    return CliRunner().invoke(gymboard.app, ["export", *map(str, words), "--tasks-root", str(tasks)])


def test_jsonl_is_a_chat_with_tools_and_a_reward_an_answer(run: Path, tasks: Path, tmp_path: Path) -> None:
    file = run / KEY / "trajectory.json"
    file.write_text(file.read_text().replace("line 2\\n", f"{SECRET}\\n", 1))
    result = export(tasks, run, "--out", tmp_path / "train.jsonl")
    assert result.exit_code == 0, result.output
    assert "scrubbed: tiny-run/tiny-play/seed-0/trajectory.json: 1 anthropic-key" in result.output
    text = (tmp_path / "train.jsonl").read_text()
    assert SECRET not in text
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == 4 and len({one["id"] for one in rows}) == 4
    for one in rows:
        roles = [message["role"] for message in one["messages"]]
        assert roles[0] == "user" and roles.count("assistant") == one["steps"] == len(one["rewards"])
        asked = [call for message in one["messages"] for call in message.get("tool_calls", ())]
        answered = [m["tool_call_id"] for m in one["messages"] if m["role"] == "tool"]
        assert [call["id"] for call in asked] == answered
        assert all(isinstance(json.loads(call["function"]["arguments"]), dict) for call in asked)
        assert {call["function"]["name"] for call in asked} == {tool["function"]["name"] for tool in one["tools"]}


def test_parquet_reads_back_as_the_same_rows(run: Path, tasks: Path, tmp_path: Path) -> None:
    assert export(tasks, run, "--format", "parquet", "--out", tmp_path / "train.parquet").exit_code == 0
    known = load_tasks(tasks)
    expected = [row(told, known[told.episode.task]) for told in episodes(run, None, Scrubber(known={}))]
    frame = pl.read_parquet(tmp_path / "train.parquet")
    assert frame.columns == list(type(expected[0]).model_fields)
    for read, one in zip(frame.iter_rows(named=True), expected, strict=True):
        assert read == json.loads(one.model_dump_json())


def test_the_datasets_library_takes_both(run: Path, tasks: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    export(tasks, run, "--out", tmp_path / "train.jsonl")
    export(tasks, run, "--format", "parquet", "--out", tmp_path / "train.parquet")
    cache = str(tmp_path / "cache")
    one = datasets.load_dataset("json", data_files=str(tmp_path / "train.jsonl"), split="train", cache_dir=cache)
    other = datasets.load_dataset("parquet", data_files=str(tmp_path / "train.parquet"), split="train", cache_dir=cache)
    assert one["id"] == other["id"] and one[0]["messages"][0]["role"] == "user"


def test_what_is_wanted_is_chosen(run: Path, tasks: Path, tmp_path: Path) -> None:
    def chosen(*words: str) -> list[dict[str, Any]]:
        result = export(tasks, run, "--out", tmp_path / "a.jsonl", *words)
        if isinstance(result.exception, UsageError):
            return []
        return [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]

    every = chosen()
    assert {one["success"] for one in every} == {True, False}
    assert chosen("--success") == [one for one in every if one["success"]]
    assert chosen("--beats-baseline") == [one for one in every if (one["gain"] or 0) > 0]


def test_a_level_is_what_the_evidence_shows(signed: Signed, tmp_path: Path) -> None:
    keys = signed.key.with_suffix(".pub")
    words = (signed.folder, "--out", tmp_path / "a.jsonl", "--level", "signed")
    assert isinstance(export(signed.tasks, *words).exception, UsageError), "no level without keys"
    assert export(signed.tasks, *words, "--signers", keys).exit_code == 0
    assert {json.loads(line)["level"] for line in (tmp_path / "a.jsonl").read_text().splitlines()} == {"signed"}
    more = export(signed.tasks, *words[:-1], "regraded", "--signers", keys)
    assert isinstance(more.exception, UsageError) and "no episode is left" in str(more.exception)


def test_atif_documents_are_whole(run: Path, tasks: Path, tmp_path: Path) -> None:
    assert export(tasks, run, "--format", "atif", "--out", tmp_path / "atif").exit_code == 0
    files = sorted((tmp_path / "atif" / "tiny-run").rglob("*.json"))
    assert len(files) == 4
    sessions = {Trajectory.from_json(file.read_bytes()).session_id for file in files}
    assert sessions == {f"{file.parent.name}/{file.stem}" for file in files}


def test_inspects_own_reader_takes_its_logs(run: Path, tasks: Path, tmp_path: Path) -> None:
    """The package inspect-ai clashes with others here: run this test where it is installed."""
    log = pytest.importorskip("inspect_ai.log")
    assert export(tasks, run, "--format", "inspect", "--out", tmp_path / "logs").exit_code == 0
    for file in sorted((tmp_path / "logs").glob("*.json")):
        read = log.read_eval_log(str(file))
        assert read.status == "success" and len(read.samples) == read.results.total_samples
        assert [message.role for message in read.samples[0].messages][:2] == ["user", "assistant"]
        assert log.read_eval_log(str(file), header_only=True).eval.task.startswith("gymboard/")

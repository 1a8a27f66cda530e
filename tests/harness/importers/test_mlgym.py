"""The importer: figures verbatim, scores tied to their actions only where that is sound, hostile archives refused."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from harness.errors import DataError, SchemaError
from harness.importers.archive import members
from harness.importers.mlgym import import_mlgym, write_entries
from harness.importers.mlgym_audit import load_findings
from harness.schema.bundle import Bundle
from harness.schema.upstream import UPSTREAM_TASKS

FOLDER = "metagen-some-model__blotto__default__t-0.00__parallel_agents_run_{seed}"
STATS = {"total_cost": 0.25, "task_cost": 0.25, "tokens_sent": 1000, "tokens_received": 50, "api_calls": 4}


def step(action: str, score: dict[str, float] | None = None) -> dict[str, Any]:
    observation = f"A submission.\nBaseline Score: {{'Score': -0.25}}\nEvaluation Score: {score}" if score else None
    return {"action": action, "observation": observation, "thought": "secret thought", "response": ""}


def write_run(
    root: Path,
    scores: list[dict[str, float]],
    steps: list[dict[str, Any]] | None,
    exit_status: str | None = "submitted",
    seed: int = 0,
) -> Path:
    folder = root / FOLDER.format(seed=seed)
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps({"agent": scores, "baseline": {"Score": -0.25}}))
    if steps is not None:
        info = {"exit_status": exit_status, "model_stats": STATS, "score": scores}
        (folder / "blotto.traj").write_text(json.dumps({"trajectory": steps, "info": info}))
    return folder


def only(root: Path) -> Bundle:
    [bundle] = import_mlgym(root)
    return bundle


def test_scores_keep_their_order_and_find_their_actions(tmp_path: Path) -> None:
    steps = [step("ls\n"), step("validate\n", {"Score": 0.5}), step("edit 1:2\nx\nend_of_edit"), step("submit\n")]
    write_run(tmp_path, [{"Score": 0.5}, {"Score": -0.1}], steps)
    episode = only(tmp_path).episodes[0]
    assert [(a.published, a.kind, a.step) for a in episode.attempts] == [
        ({"Score": 0.5}, "validate", 2),
        ({"Score": -0.1}, "submit", 4),
    ]
    assert episode.published_baseline == {"Score": -0.25}
    assert episode.actions == {"Bash": 1, "Edit": 1, "Submit": 1, "Validate": 1}
    assert episode.trace == "BAEU"
    assert [episode.modifies_before(step) for step in (0, 1, 2)] == [None, False, True]
    assert (episode.usage.input_tokens, episode.usage.reported_cost_usd) == (1000, 0.25)


@pytest.mark.parametrize(
    "steps",
    [
        [step("submit\n")],  # a score that no action accounts for
        [step("validate\n", {"Score": 0.4}), step("submit\n")],  # another value
        [step("cat log\n", {"Score": 0.5}), step("submit\n")],  # a look-alike printed by something else
    ],
)
def test_a_score_that_nothing_accounts_for_is_tied_to_nothing(tmp_path: Path, steps: list[dict[str, Any]]) -> None:
    write_run(tmp_path, [{"Score": 0.5}, {"Score": -0.1}], steps)
    assert {(a.kind, a.step) for a in only(tmp_path).episodes[0].attempts} == {("unknown", 0)}


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("submitted", "success"),
        ("autosubmission (max_steps)", "max_steps"),
        ("autosubmission (exit_context)", "context"),
        ("evaluation_format_error (exit_cost)", "evaluation_error"),
        ("submission_not_found (submit)", "evaluation_error"),
        ("", "runtime"),
        (None, "runtime"),
    ],
)
def test_exit_status(tmp_path: Path, said: str | None, status: str) -> None:
    write_run(tmp_path, [], [step("ls\n"), step("exit_cost")], exit_status=said)
    episode = only(tmp_path).episodes[0]
    assert episode.exit_status == status
    assert (episode.steps, episode.trace) == (1, "B")
    with pytest.raises(DataError, match="unknown exit status"):
        write_run(tmp_path, [], [step("ls\n")], exit_status="gave up", seed=1)
        import_mlgym(tmp_path)


def test_an_answer_that_was_no_action_is_a_step_and_did_nothing(tmp_path: Path) -> None:
    write_run(tmp_path, [], [step(""), step("open x.py\n"), step(" \n"), step("submit\n")])
    episode = only(tmp_path).episodes[0]
    assert (episode.steps, episode.trace, episode.actions) == (4, "-V-U", {"View": 1, "Submit": 1})
    assert episode.modifies is False


def test_a_run_without_a_trajectory_keeps_its_scores(tmp_path: Path) -> None:
    write_run(tmp_path, [{"Score": 0.5}], None)
    episode = only(tmp_path).episodes[0]
    assert episode.exit_status == "unknown"
    assert (episode.steps, episode.trace, episode.modifies) == (0, None, None)
    assert episode.attempts[0].published == {"Score": 0.5}


def test_no_text_of_an_action_gets_into_a_bundle(tmp_path: Path) -> None:
    write_run(tmp_path, [{"Score": 0.5}], [step("echo private-words\n"), step("submit\n")])
    [file] = write_entries(import_mlgym(tmp_path), tmp_path / "out")
    assert b"private-words" not in file.read_bytes()
    assert b"secret thought" not in file.read_bytes()
    assert Bundle.from_json(file.read_bytes()).canonical() == file.read_bytes()


@pytest.mark.parametrize("score", ["NaN", "Infinity", "1e999", '"0.5"', "null"])
def test_what_is_not_a_finite_number_is_refused(tmp_path: Path, score: str) -> None:
    folder = write_run(tmp_path, [], None)
    (folder / "results.json").write_text(f'{{"agent": [{{"Score": {score}}}], "baseline": {{"Score": 1.0}}}}')
    with pytest.raises((SchemaError, DataError)):
        import_mlgym(tmp_path)


def test_audit_notes_only_for_values_in_the_data(tmp_path: Path) -> None:
    invalid = 0.5755700469017029
    for model, scores in (("claude-35-sonnet-new", [invalid]), ("gpt4o2", [invalid]), ("gemini-15-pro", [0.1])):
        folder = write_run(tmp_path, [{"Score": score} for score in scores], None)
        folder.rename(tmp_path / folder.name.replace("some-model", model))
    noted = {bundle.entry.id: [note.value for note in bundle.audit] for bundle in import_mlgym(tmp_path)}
    assert noted == {"claude-3-5-sonnet-mlgym": [invalid], "gpt-4o-mlgym": [], "gemini-1-5-pro-mlgym": []}


def test_the_random_caption_score_is_noted_wherever_it_occurs(tmp_path: Path) -> None:
    import numpy as np

    rng = np.random.RandomState(0)
    value = float(rng.rand(100).mean())
    folder = write_run(tmp_path, [], None)
    (folder / "results.json").write_text(
        json.dumps({"agent": [{"BLEU Score": value}], "baseline": {"BLEU Score": 0.28}})
    )
    folder.rename(tmp_path / folder.name.replace("blotto", "imageCaptioningCOCO"))
    [note] = only(tmp_path).audit
    assert note.value == pytest.approx(value, abs=1e-9)


def test_findings_name_real_tasks_and_metrics() -> None:
    known = {(task.id, task.metric) for task in UPSTREAM_TASKS}
    assert {(finding.task, finding.metric) for finding in load_findings()} <= known


def archive(file: Path, *infos: tuple[tarfile.TarInfo, bytes]) -> Path:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for info, data in infos:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    file.write_bytes(zstandard.ZstdCompressor().compress(plain.getvalue()))
    return file


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = "results.json"
    return info


@pytest.mark.parametrize(
    ("infos", "reason"),
    [
        ([(member("../results.json"), b"{}")], "plain relative path"),
        ([(member("/etc/results.json"), b"{}")], "plain relative path"),
        ([(member("a\x1bb/results.json"), b"{}")], "plain relative path"),
        ([(member("a/x.traj", tarfile.SYMTYPE), b"")], "not a regular file"),
        ([(member("a/x.traj", tarfile.LNKTYPE), b"")], "not a regular file"),
        ([(member("a/x.traj", tarfile.FIFOTYPE), b"")], "not a regular file"),
        ([(member("a/x.traj", tarfile.CHRTYPE), b"")], "not a regular file"),
        ([(member("a/results.json"), b"{}"), (member("a/results.json"), b"{}")], "twice"),
    ],
)
def test_hostile_archives(tmp_path: Path, infos: list[tuple[tarfile.TarInfo, bytes]], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        import_mlgym(archive(tmp_path / "runs.tar.zst", *infos))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    info = member("a/results.json")
    info.size = 1 << 40
    header = info.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "bomb.tar.zst").write_bytes(zstandard.ZstdCompressor().compress(header + bytes(1 << 20)))
    with pytest.raises(DataError, match="too large"):
        list(members(tmp_path / "bomb.tar.zst", (".json",)))


@pytest.mark.parametrize("data", [b"", b"not zstd", zstandard.ZstdCompressor().compress(b"not a tar" * 100)])
def test_not_an_archive(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.tar.zst").write_bytes(data)
    with pytest.raises(DataError):
        import_mlgym(tmp_path / "x.tar.zst")


def test_a_truncated_archive(tmp_path: Path) -> None:
    whole = archive(tmp_path / "x.tar.zst", (member("a/results.json"), b'"' + b"x" * 100_000 + b'"')).read_bytes()
    (tmp_path / "x.tar.zst").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError):
        import_mlgym(tmp_path / "x.tar.zst")


def test_a_folder_with_a_link_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs", [], None)
    (folder / "blotto.traj").symlink_to("results.json")
    with pytest.raises(DataError, match="neither a regular file"):
        import_mlgym(tmp_path / "runs")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        import_mlgym(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no runs named"):
        import_mlgym(tmp_path)

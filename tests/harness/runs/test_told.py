"""A run tells where its time goes: to its log, to OpenTelemetry, to `gymboard runs show`. It leaves the same."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.runs import app
from harness.pack import pack
from harness.runs.timings import timings
from harness.schema.bundle import Entry
from harness.telemetry.lines import read_events
from tests.harness.runner.run_once import forked, whole_run
from tests.harness.runs.told import NOTHING, SECRET, TASK, gymboard, run_words, script
from tests.servers.answers import Refuse, Say
from tests.servers.models import Asked, model_server
from tests.servers.otlp import Got, Receiver, otlp_receiver

PARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"
SEEDS = 2


@dataclass(frozen=True)
class Told:
    """A run of two episodes and what arrived of it."""

    folder: Path
    ended: subprocess.CompletedProcess[str]
    receiver: Receiver
    answers: int

    @property
    def run(self) -> Path:
        return self.folder / "runs" / "told"

    def gymboard(self, *words: str) -> Any:
        shown = gymboard("runs", *words, "--json", cwd=self.folder)
        assert shown.returncode == 0, shown.stderr
        return json.loads(shown.stdout)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    with model_server(script) as server, otlp_receiver() as receiver:
        words = run_words(server.openai, seeds=SEEDS)
        ended = gymboard(
            *words, cwd=folder, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, MY_WORD=SECRET, TRACEPARENT=PARENT
        )
        assert ended.returncode == 0, ended.stderr
        yield Told(folder, ended, receiver, len(server.asked))


def test_a_span_for_the_run_each_episode_each_step_and_what_it_did(told: Told) -> None:
    receiver = told.receiver
    (run,) = receiver.named("run")
    assert (run.trace, run.parent) == ("ab" * 16, "cd" * 8), "within the trace that the caller named"
    episodes = receiver.below(run)
    assert [one.name for one in episodes] == ["episode"] * SEEDS
    assert {one.attributes["gymboard.episode"] for one in episodes} == {f"{TASK}/seed-{seed}" for seed in range(SEEDS)}
    for episode in episodes:
        below = Counter(span.name for span in receiver.below(episode))
        named = ["step bash", "step submit", "step validate"]
        assert below == Counter(["container end", "container patch", "container start", "grade sealed", *named])
        steps = [one for one in receiver.below(episode) if one.name in named]
        did = [[one.name for one in receiver.below(step)] for step in sorted(steps, key=lambda one: one.begin_ns)]
        assert did == [
            ["chat openai/m", "command bash"],
            ["chat openai/m", "container copy-out", "grade validation"],
            ["chat openai/m", "container copy-out"],
        ]
    assert all(within(span, above(receiver, span)) for span in receiver.spans if span is not run)
    assert {span.trace for span in receiver.spans} == {run.trace}
    assert len({span.id for span in receiver.spans}) == len(receiver.spans)
    assert {span.resource["service.name"] for span in receiver.spans} == {"gymboard"}


def above(receiver: Receiver, span: Got) -> Got:
    return next(one for one in receiver.spans if one.id == span.parent)


def within(span: Got, outer: Got) -> bool:
    """To the microsecond that an event is written with."""
    return outer.begin_ns - 2000 <= span.begin_ns <= span.end_ns <= outer.end_ns + 2000


def test_a_model_call_is_named_as_the_genai_conventions_have_it(told: Told) -> None:
    calls = told.receiver.named("chat openai/m")
    assert len(calls) == told.answers == 3 * SEEDS
    journal = [
        json.loads(line)["call"]
        for seed in range(SEEDS)
        for line in (told.run / TASK / f"seed-{seed}" / "calls.jsonl").read_text().splitlines()
    ]
    for name, ours in (("input_tokens", "input_tokens"), ("output_tokens", "output_tokens")):
        paid = Counter(call[ours] for call in journal)
        assert Counter(call.attributes[f"gen_ai.usage.{name}"] for call in calls) == paid
    for call in calls:
        assert call.kind == 3, "a client's span"
        assert call.attributes["gen_ai.operation.name"] == "chat"
        assert call.attributes["gen_ai.provider.name"] == "openai"
        assert call.attributes["gen_ai.request.model"] == "openai/m"
        assert call.attributes["gen_ai.request.max_tokens"] == 4096
        assert call.attributes["gen_ai.response.finish_reasons"] == ["tool_calls"]


def test_nothing_tells_a_word_that_was_said_or_a_secret(told: Told) -> None:
    files = [told.run / "logs" / "run.jsonl", *told.run.glob("*/*/events.jsonl")]
    assert len(files) == 1 + SEEDS
    for text in [*(file.read_bytes() for file in files), *told.receiver.bodies]:
        assert SECRET.encode() not in text and b"strategy.py" not in text and b"payoff" not in text


def test_the_log_holds_every_event_once(told: Told) -> None:
    log = list(read_events(told.run / "logs" / "run.jsonl"))
    beside = [one for file in told.run.glob("*/*/events.jsonl") for one in read_events(file)]
    assert [one for one in log if one.episode] == sorted(beside, key=lambda one: (one.episode, log.index(one)))
    assert [one.event for one in log if not one.episode] == ["run-begun", "run"]
    assert {one.run for one in log} == {"told"}
    assert Counter(one.event for one in log)["step"] == 3 * SEEDS


def test_show_says_where_the_time_went(told: Told) -> None:
    shown = told.gymboard("show", "told")
    first = shown["episodes"][0]
    assert (first["task"], first["seed"], first["state"], first["exit_status"]) == (TASK, 0, "done", "success")
    assert first["steps"] == 3 and first["cost_usd"] > 0 and first["score"] is not None
    assert first["timings"]["lives"] == 1 and {"container start", "grade sealed"} <= set(first["timings"]["parts_s"])
    for one in (first["timings"], shown["timings"]):
        assert set(one["phases_s"]) == {"model", "grade", "container", "command", "agent", "harness"}
        assert sum(one["phases_s"].values()) == pytest.approx(one["total_s"], abs=1e-3)
        assert sum(one["shares"].values()) == pytest.approx(1.0, abs=1e-3)
    record = json.loads((told.run / TASK / "seed-0" / "episode.json").read_text())
    inside = record["usage"]["wall_s"] + record["attempts"][-1]["sealed"]["duration_s"]
    assert first["timings"]["total_s"] > inside, "what the episode's own clocks measured is part of it"
    graded = sum(attempt["validation"]["duration_s"] for attempt in record["attempts"] if "validation" in attempt)
    assert first["timings"]["phases_s"]["grade"] > graded + record["attempts"][0]["sealed"]["duration_s"]
    spent = json.loads(told.ended.stdout)["episodes"]
    assert shown["spent_usd"] == pytest.approx(sum(one["usage"]["reported_cost_usd"] for one in spent))
    plain = gymboard("runs", "show", "told", cwd=told.folder)
    assert "share" in plain.stdout and "harness" in plain.stdout and f"{TASK}/seed-1" in plain.stdout


def test_a_bundle_is_the_same_with_and_without(told: Told, tmp_path: Path) -> None:
    entry = Entry(id="told", agent="asker", agent_version="1", model="openai/m", date="2026-11-21")
    files = [*told.run.glob("*/*/events.jsonl"), told.run / "logs" / "run.jsonl"]
    pack(told.run, tmp_path / "with", entry, "local")
    kept = {file: file.read_bytes() for file in files}
    try:
        for file in files:
            file.unlink()
        pack(told.run, tmp_path / "without", entry, "local")
    finally:
        for file, data in kept.items():
            file.write_bytes(data)
    both = [{file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("with", "without")]
    assert both[0] == both[1] and len(both[0]) == 2


def test_a_dead_or_unwilling_receiver_costs_nothing_but_its_spans(tmp_path: Path) -> None:
    """Nobody listens; one that refuses; one that never answers. The run is the same, and it is said once."""
    with otlp_receiver() as gone:
        pass
    with otlp_receiver(400) as refuses, otlp_receiver(silent=True) as silent:
        for name, url in (("gone", gone.url), ("refuses", refuses.url), ("silent", silent.url)):
            words = [*NOTHING, "--runs", name, "--log", f"{name}.jsonl"]
            ended = gymboard(*words, cwd=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=url)
            assert ended.returncode == 0 and "Traceback" not in ended.stderr, ended.stderr
            assert ended.stderr.count("spans do not arrive, the run goes on without them") == 1, ended.stderr
            assert json.loads(ended.stdout)["episodes"][0]["exit_status"] == "evaluation_error"
            assert timings(read_events(tmp_path / name / "told" / TASK / "seed-0" / "events.jsonl")).lives == 1
            assert Counter(one.event for one in read_events(tmp_path / f"{name}.jsonl"))["step"] == 1
            assert not (tmp_path / name / "told" / "logs").exists(), "--log says where instead"


def test_without_the_extra_or_switched_off_nothing_is_sent(tmp_path: Path) -> None:
    """The extra is missing where its package cannot be imported."""
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("raise ImportError('not installed')\n")
    with otlp_receiver() as receiver:
        spans = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        path = f"{tmp_path}:{Path(__file__).parents[3]}"
        missing = gymboard(*NOTHING, "--runs", "a", cwd=tmp_path, **spans | {"PYTHONPATH": path})
        off = gymboard(*NOTHING, "--runs", "b", cwd=tmp_path, **spans, OTEL_SDK_DISABLED="true")
        assert (missing.returncode, off.returncode) == (0, 0), missing.stderr + off.stderr
        assert missing.stderr.count('pip install "gymboard[otel]"') == 1
        assert "spans" not in off.stderr and receiver.bodies == []


def test_a_failure_is_told_without_the_key_that_its_words_hold(tmp_path: Path) -> None:
    coded = base64.b64encode(SECRET.encode()).decode()
    refused = Refuse(401, f"no such key: {SECRET}, in short {coded}", "invalid_request_error")
    with model_server([refused]) as server, otlp_receiver() as receiver:
        words = run_words(server.openai)
        ended = gymboard(*words, cwd=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, MY_WORD=SECRET)
    assert ended.returncode == 1
    run = tmp_path / "runs" / "told"
    log = (run / "logs" / "run.jsonl").read_text()
    (call,) = [one for one in read_events(run / "logs" / "run.jsonl") if one.event == "model"]
    assert call.facts["error"] == "ModelUnavailable" and "SCRUBBED-environment" in str(call.facts["detail"])
    (span,) = receiver.named("chat openai/m")
    assert (span.status, span.attributes["error.type"]) == (2, "ModelUnavailable")
    for text in (log, (run / TASK / "seed-0" / "events.jsonl").read_text(), str(receiver.spans)):
        assert SECRET not in text and coded not in text
    assert timings(read_events(run / TASK / "seed-0" / "events.jsonl")).lives == 1


def test_a_run_under_way_shows_what_it_knows_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    """Its model takes its time over the second answer; killed there, the run is gone on with, and both lives count."""
    slow, asked = threading.Event(), threading.Event()

    def hesitant(request: Asked) -> Say:
        if request.number == 1:
            asked.set()
            slow.wait(60)
        return script(request)

    folder = tmp_path / "runs" / "killed"
    with model_server(hesitant) as server:
        child = forked(whole_run, server.openai, folder, 1)
        assert asked.wait(120)
        shown = runs_json(tmp_path, "show", "killed")
        (state,) = shown["episodes"]
        assert (shown["running"], shown["done"], state["state"], state["steps"]) == (True, 0, "running", 1)
        assert state["cost_usd"] > 0 and state["timings"]["phases_s"]["model"] > 0 and state["timings"]["lives"] == 1
        (listed,) = runs_json(tmp_path, "list")
        assert listed["running"] and listed["spent_usd"] > state["cost_usd"], "the call in flight may cost something"
        child.kill()
        child.join()
        slow.set()
        (dead,) = runs_json(tmp_path, "show", "killed")["episodes"]
        assert (dead["state"], dead["timings"]["lives"]) == ("unfinished", 1)
        again = forked(whole_run, server.openai, folder, 1)
        again.join(120)
    (done,) = runs_json(tmp_path, "show", "killed")["episodes"]
    assert (done["state"], done["exit_status"], done["steps"], done["timings"]["lives"]) == ("done", "success", 3, 2)
    assert done["timings"]["total_s"] > dead["timings"]["total_s"]
    told = list(read_events(folder / TASK / "seed-0" / "events.jsonl"))
    repeated = [one for one in told if one.event == "step" and one.facts.get("again")]
    assert [one.step for one in repeated] == [1] and len({one.pid for one in told}) == 2


def runs_json(folder: Path, *words: str) -> Any:
    ended = CliRunner().invoke(app, [*words, "--runs", str(folder / "runs"), "--json"], catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.output)


def test_the_workers_of_a_run_tell_into_one_log_and_one_trace(tmp_path: Path) -> None:
    with otlp_receiver() as receiver:
        words = [*NOTHING, "--seeds", "3", "--jobs", "2"]
        ended = gymboard(*words, cwd=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert ended.returncode == 0, ended.stderr
    log = list(read_events(tmp_path / "runs" / "told" / "logs" / "run.jsonl"))
    (run,) = receiver.named("run")
    episodes = receiver.named("episode")
    assert {(one.trace, one.parent) for one in episodes} == {(run.trace, run.id)} and len(episodes) == 3
    players = {one.pid for one in log if one.event == "episode"}
    assert len(players) == 2 and not players & {one.pid for one in log if one.event == "run"}

"""The line from a run to its regrade on real tasks with real graders, in both kinds of sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.agents.base import Agent
from harness.agents.baseline import baseline_agent
from harness.agents.nop import nop_agent
from harness.check import check, summary
from harness.data import prepare
from harness.pack import pack
from harness.regrade import regrade
from harness.runner.place import Place
from harness.runner.run import AgentFor, RunPlan, run_episodes
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.bundle import Entry
from harness.schema.regrade import RegradeReport
from harness.schema.run import RunManifest
from harness.schema.task import ProfileName, TaskSpec, tasks_root
from harness.signing import Signers, make_demo_key, sign
from harness.verify import verify
from tests.harness.sign.builder import Signed

TASKS = ("colonel-blotto", "house-price")


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with open_engine(request.param) as opened:
        yield opened


def entered(folder: Path, engine: Engine, agent_for: AgentFor) -> Signed:
    """Run, pack and sign."""
    run, entry = folder / "run", folder / "real-entry"
    plan = RunPlan("run", run, TASKS, tasks_root(), (0,), "smoke", agent_for)
    for _ in run_episodes(plan, engine):
        pass
    manifest = RunManifest.from_json((run / "run.json").read_bytes())
    who = Entry(id=entry.name, agent=manifest.agent, agent_version=manifest.agent_version, date="2026-11-20")
    bundle = pack(run, entry, who, "local")
    key = make_demo_key(folder / "keys")
    sign(entry, key)
    return Signed(tasks_root(), run, entry, key, Signers.read(key.with_suffix(".pub")), bundle)


@pytest.fixture
def baseline(engine: Engine, tmp_path: Path) -> Signed:
    def agent(place: Place, seed: int) -> Agent:
        return baseline_agent(place.task)

    return entered(tmp_path, engine, agent)


def graders(spec: TaskSpec, folder: Path, profile: ProfileName) -> Path | None:
    prepared = prepare(spec, folder, profile)
    return prepared.grader if prepared else None


def again(signed: Signed, engine: Engine) -> RegradeReport:
    return regrade(signed.folder, engine, graders)


def test_the_baseline_agrees_with_itself_and_a_raised_claim_does_not(baseline: Signed, engine: Engine) -> None:
    verify(baseline.folder, baseline.signers)
    problems = check(baseline.folder)
    assert summary(problems)[1] == 0, "\n".join(map(str, problems))
    report = again(baseline, engine)
    assert {attempt.task for attempt in report.attempts} == set(TASKS)
    assert not report.disagreements, [attempt.sentence for attempt in report.disagreements]
    assert report.supports == ("regraded" if engine.kind == "docker" else "signed")
    claims = {attempt.task: attempt for attempt in report.attempts if "final" in attempt.roles}
    assert claims["house-price"].difference == 0.0
    seed = json.loads((baseline.folder / "bundle.json").read_bytes())["episodes"][0]["attempts"][-1]["sealed"]["seed"]
    assert claims["colonel-blotto"].measured.seed != seed

    def raise_claims(tree: Any) -> None:
        for episode, metric, more in zip(tree["episodes"], ("mean_payoff", "r2"), (0.3, 1e-6), strict=True):
            episode["attempts"][-1]["sealed"]["metrics"][metric] += more

    baseline.rewrite(raise_claims)
    verify(baseline.folder, baseline.signers)
    raised = again(baseline, engine)
    assert {attempt.task for attempt in raised.disagreements} == set(TASKS)
    assert raised.supports == "signed"


def test_a_run_without_any_artifact_has_nothing_to_grade(engine: Engine, tmp_path: Path) -> None:
    signed = entered(tmp_path, engine, lambda place, seed: nop_agent())
    verify(signed.folder, signed.signers)
    assert summary(check(signed.folder))[1] == 0
    assert again(signed, engine).attempts == ()

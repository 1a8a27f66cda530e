"""gymboard replay ENTRY: who trains is found again under fresh ids, who pastes is not; what is not judged says so."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gymboard
from harness.agents.baseline import baseline_agent
from harness.agents.scripted import ScriptedAgent
from harness.data import prepare
from harness.errors import UsageError
from harness.pack import pack
from harness.payload import kept_attempts
from harness.regrade import regrade
from harness.replay import Wanted, replay_entry, write_report
from harness.replay.entry import PlaceOf
from harness.runner.place import Place
from harness.runner.run import RunPlan, place_of, run_episodes
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.bundle import Bundle, Entry
from harness.schema.episode import Episode
from harness.schema.replay import ReplayReport, TaskReplay
from harness.schema.run import RunManifest
from harness.schema.steps import Action
from harness.schema.task import load_task, tasks_root
from harness.signing import make_demo_key, sign

HOUSES, BLOTTO = "house-price", "colonel-blotto"
SUBMIT = (Action(kind="validate"), Action(kind="submit"))


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with open_engine(request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def local() -> Iterator[Engine]:
    with open_engine("local") as opened:
        yield opened


def entered(folder: Path, engine: Engine, tasks: Sequence[str], agent: Callable[[Place], ScriptedAgent]) -> Path:
    """One episode a task, packed."""
    plan = RunPlan("run", folder / "run", tasks, tasks_root(), (0,), "smoke", lambda place, _: agent(place))
    assert [ended.failure for ended in run_episodes(plan, engine)] == [""] * len(tasks)
    manifest = RunManifest.from_json((folder / "run" / "run.json").read_bytes())
    who = Entry(id="mine", agent=manifest.agent, agent_version=manifest.agent_version, date="2026-11-21")
    pack(folder / "run", folder / "mine", who, "local")
    return folder / "mine"


def places(engine: Engine) -> PlaceOf:
    return lambda folder, bundle: place_of(folder, bundle.profile, engine, None)


def again(entry: Path, engine: Engine, **more: object) -> ReplayReport:
    return replay_entry(entry, engine, places(engine), **more)  # type: ignore[arg-type]


def houses(report: ReplayReport) -> TaskReplay:
    return next(task for task in report.tasks if task.task == HOUSES)


def public_labels() -> dict[str, str]:
    """What anybody can look up: id -> price, of validation and sealed rows alike."""
    folder = tasks_root() / HOUSES
    prepared = prepare(load_task(folder), folder, "smoke")
    assert prepared is not None
    with (prepared.grader / "labels.csv").open(newline="") as file:
        return {row["id"]: row["SalePrice"] for row in csv.DictReader(file)}


def by_id() -> bytes:
    return ("id,SalePrice\n" + "".join(f"{one},{price}\n" for one, price in public_labels().items())).encode()


BY_ROW = """
import csv, os
prices = {prices!r}
with open(os.environ["GYMBOARD_DATA"] + "/inputs.csv", newline="") as file:
    ids = [row["id"] for row in csv.DictReader(file)]
with open("submission.csv", "w") as file:
    file.write("id,SalePrice\\n" + "".join(f"{{one}},{{price}}\\n" for one, price in zip(ids, prices)))
"""
PASTE_ELSE_TRAIN = """
import csv, subprocess
known = {known!r}
subprocess.run(["python", "baseline.py"], check=True)
with open("submission.csv", newline="") as file:
    rows = [(row["id"], known.get(row["id"], row["SalePrice"])) for row in csv.DictReader(file)]
with open("submission.csv", "w") as file:
    file.write("id,SalePrice\\n" + "".join(f"{{one}},{{price}}\\n" for one, price in rows))
"""


def pasted_by_id(place: Place) -> ScriptedAgent:
    return ScriptedAgent("paste", [Action(kind="write", path="submission.csv", data=by_id()), *SUBMIT])


def scripted(text: str) -> Callable[[Place], ScriptedAgent]:
    def agent(place: Place) -> ScriptedAgent:
        write = Action(kind="write", path="agent.py", data=text.encode())
        return ScriptedAgent("script", [write, Action(kind="bash", command="python agent.py"), *SUBMIT])

    return agent


def sealed_r2(entry: Path) -> float:
    bundle = Bundle.from_json((entry / "bundle.json").read_bytes())
    verdict = bundle.episodes[0].attempts[-1].sealed
    assert verdict is not None
    return verdict.metrics["r2"]


def replayed_r2(found: TaskReplay) -> float:
    """Of the first attempt that was not found again."""
    assert found.worst is not None
    verdict = found.worst[1].replayed
    assert verdict is not None
    return verdict.metrics["r2"]


def test_who_trains_is_found_again_under_fresh_ids(engine: Engine, tmp_path: Path) -> None:
    entry = entered(tmp_path, engine, (BLOTTO, HOUSES), lambda place: baseline_agent(place.task))
    cache = tmp_path / "cache"

    def labels(spec: object, folder: Path, profile: str) -> Path | None:
        prepared = prepare(load_task(folder), folder, "smoke")
        return prepared.grader if prepared else None

    graded = regrade(entry, engine, labels, cache=cache)
    drawn: list[int] = []

    def draw(size: int) -> bytes:
        drawn.append(size)
        return bytes(size)

    report = again(entry, engine, cache=cache, draw=draw)
    assert {task.task: task.outcome for task in report.tasks} == {BLOTTO: "agrees", HOUSES: "agrees"}
    assert (report.engine, report.bundle_sha256) == (engine.kind, graded.bundle_sha256)
    assert report.images
    measured = {(one.task, one.attempt): one.measured.metrics[one.metric] for one in graded.attempts}
    for task in report.tasks:
        [episode] = task.episodes
        assert episode.diverged_at is None and task.fresh_ids == (task.task == HOUSES)
        for one in episode.attempts:
            assert (one.expected_from, one.expected) == ("regraded", measured[task.task, one.attempt])
            same = one.artifact_sha256 == one.replayed_sha256
            assert same == (task.task == BLOTTO), "predictions carry the fresh ids"
    [first, *_] = houses(report).episodes[0].attempts
    assert first.difference is not None and first.difference < 1e-9, "rows in another order, the same model"
    assert drawn == [32]
    assert again(entry, engine, cache=cache, draw=draw) == report and drawn == [32], "nothing is drawn twice"


def test_pasted_labels_grade_well_and_fail_in_replay(engine: Engine, tmp_path: Path) -> None:
    entry = entered(tmp_path, engine, (HOUSES,), pasted_by_id)
    assert sealed_r2(entry) == 1.0
    found = houses(again(entry, engine))
    assert found.outcome == "differs" and found.fresh_ids
    assert found.worst is not None and "unknown" in found.worst[1].sentence


def test_labels_pasted_in_the_order_of_the_rows_fail_too(local: Engine, tmp_path: Path) -> None:
    prices = [price for _, price in sorted(public_labels().items())]
    entry = entered(tmp_path, local, (HOUSES,), scripted(BY_ROW.format(prices=prices)))
    assert sealed_r2(entry) == 1.0
    found = houses(again(entry, local))
    assert found.outcome == "differs"
    assert replayed_r2(found) < 0.5


def test_pasting_with_a_model_in_reserve_is_found_by_the_value(local: Engine, tmp_path: Path) -> None:
    entry = entered(tmp_path, local, (HOUSES,), scripted(PASTE_ELSE_TRAIN.format(known=public_labels())))
    assert sealed_r2(entry) == 1.0
    found = houses(again(entry, local))
    assert found.outcome == "differs" and found.episodes[0].diverged_at is None
    assert 0.8 < replayed_r2(found) < 0.9


def rewrite(entry: Path, **changes: object) -> None:
    tree = json.loads((entry / "bundle.json").read_bytes()) | changes
    (entry / "bundle.json").write_bytes(Bundle.from_json(json.dumps(tree)).canonical())


@pytest.fixture(scope="module")
def strategy(local: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return entered(tmp_path_factory.mktemp("s"), local, (BLOTTO,), lambda place: baseline_agent(place.task))


def test_a_finished_program_cannot_be_replayed_and_is_not_executed(
    strategy: Path, local: Engine, tmp_path: Path
) -> None:
    entry = tmp_path / "mine"
    entry.mkdir()
    for file in strategy.iterdir():
        (entry / file.name).write_bytes(file.read_bytes())
    rewrite(entry, declares=["command"])
    [found] = again(entry, local, keep=tmp_path / "kept").tasks
    assert (found.outcome, found.episodes) == ("unfinished", ()) and "finished program" in found.reason
    assert not (tmp_path / "kept").exists()


def test_what_does_not_fit_into_the_time_is_left_out_and_said(strategy: Path, local: Engine) -> None:
    [found] = again(strategy, local, wanted=Wanted(within_s=0.001)).tasks
    assert found.outcome == "unfinished" and "0 s were left" in found.reason


def test_only_what_was_asked_for(strategy: Path, local: Engine) -> None:
    [found] = again(strategy, local, wanted=Wanted(episodes=[f"{BLOTTO}/seed-7"])).tasks
    assert (found.outcome, found.reason) == ("excused", "no episode left an artifact")
    with pytest.raises(UsageError, match=f"has no task mnli; it has {BLOTTO}"):
        again(strategy, local, wanted=Wanted(tasks=["mnli"]))


def test_only_what_is_compared_gets_a_sealed_grade(local: Engine, tmp_path: Path) -> None:
    def agent(place: Place) -> ScriptedAgent:
        actions = []
        for last in ("0, 120", "60, 60", "120, 0"):
            text = f"def row_strategy(history):\n    return [0, 0, 0, 0, {last}]\n"
            actions += [Action(kind="write", path="strategy.py", data=text.encode()), Action(kind="validate")]
        return ScriptedAgent("three", actions)

    entry = entered(tmp_path, local, (BLOTTO,), agent)
    was = Bundle.from_json((entry / "bundle.json").read_bytes()).episodes[0]
    kept = {attempt.index for attempt in kept_attempts(was, load_task(tasks_root() / BLOTTO).metric)}
    assert len(was.attempts) == 4 and 1 in kept and 0 not in kept
    [found] = again(entry, local, keep=tmp_path / "kept").tasks
    assert found.outcome == "agrees"
    now = Episode.from_json((tmp_path / "kept" / BLOTTO / "seed-0" / "episode.json").read_bytes())
    graded = {attempt.artifact_sha256 for attempt in now.attempts if attempt.sealed}
    assert graded == {was.attempts[index].artifact_sha256 for index in kept}


def test_the_command_writes_the_report_beside_the_entry(strategy: Path) -> None:
    done = CliRunner().invoke(gymboard.app, ["replay", str(strategy), "--sandbox", "local", "--json"])
    assert done.exit_code == 0, done.output
    file = strategy.with_name("mine.replay.json")
    report = ReplayReport.from_json(file.read_bytes())
    assert json.loads(done.stdout) == json.loads(report.canonical())
    assert write_report(report, strategy) == file
    wrong = CliRunner().invoke(gymboard.app, ["replay", f"{strategy}#{BLOTTO}/0", "--within", "5"])
    assert isinstance(wrong.exception, UsageError)


def test_an_entry_that_left_nothing_to_replay_is_no_failure_and_confirms_nothing(local: Engine, tmp_path: Path) -> None:
    entry = entered(tmp_path, local, (BLOTTO, HOUSES), lambda place: ScriptedAgent("idle", []))
    done = CliRunner().invoke(gymboard.app, ["replay", str(entry), "--sandbox", "local"])
    assert done.exit_code == 0, done.output
    assert f"nothing of {entry} can be replayed (looked at {BLOTTO}, {HOUSES})" in done.stderr
    report = ReplayReport.from_json(entry.with_name("mine.replay.json").read_bytes())
    assert {task.outcome for task in report.tasks} == {"excused"}


def test_a_challenge_replays_one_episode_and_says_what_it_led_to(local: Engine, tmp_path: Path) -> None:
    entry = entered(tmp_path, local, (HOUSES,), pasted_by_id)
    key = make_demo_key(tmp_path / "keys")
    sign(entry, key)
    words = ["challenge", str(entry), "--signers", str(key.with_suffix(".pub")), "--sandbox", "local"]
    done = CliRunner().invoke(gymboard.app, words)
    assert done.exit_code == 1, done.output
    assert "0 of 2 claim(s)" in done.stdout.replace("\n", " ")
    assert "price/seed-0, executed again, with fresh ids, led to **another result**" in done.stdout
    assert not entry.with_name("mine.replay.json").exists(), "the copy is replayed, and nothing is left"
    stranger = CliRunner().invoke(gymboard.app, [*words, "--episode", "house-price/seed-9"])
    assert isinstance(stranger.exception, UsageError)

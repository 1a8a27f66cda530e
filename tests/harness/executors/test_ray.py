"""Episodes on a real Ray cluster of two nodes, one of which does not see the run's folder: as another machine would.

One cluster for the file, because each start takes half a minute on two cores; the tests that lose a node come last.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.runner.phases import BESIDE, LOG
from harness.runs.held import episode_held
from harness.telemetry.lines import read_events
from tests.harness.executors.conftest import Undisturbed
from tests.harness.executors.gated import GATE, Gated
from tests.harness.executors.ray_nodes import ROOT, SETTINGS, Node, Nodes, cluster
from tests.harness.executors.side import (
    NOTHING,
    SEEDS,
    STEPS,
    TASK,
    Side,
    counted,
    ended,
    interrupted_twice,
    kill,
    script,
    until,
)
from tests.harness.executors.test_interrupt import slowly
from tests.servers.models import model_server

pytest.importorskip("ray")
pytestmark = pytest.mark.timeout(900)
BEGUN_S = 400.0
"""For two nodes to start workers that import everything, on a busy machine."""
SEEN_S = 0.2
"""A look goes through every process of the machine."""
AGENT = ["--agent", f"{Gated.__module__}:Gated"]


@dataclass
class Two:
    """The cluster. `runs` is empty for the far node, `temporary` is where both nodes' workers keep what they need."""

    nodes: Nodes
    near: Node
    far: Node
    runs: Path
    temporary: Path
    gate: Path

    @property
    def env(self) -> dict[str, str]:
        return {"TMPDIR": str(self.temporary), GATE: str(self.gate)}

    def side(self, name: str, sandbox: str = "local") -> Side:
        """A run of its own that is sent to the cluster; its agents wait at the gate."""
        for file in self.gate.iterdir():
            file.unlink()
        return Side(self.runs / name, sandbox, environment=SETTINGS | {GATE: str(self.gate)})

    @property
    def ray(self) -> list[str]:
        return [*AGENT, "--executor", "ray", "--address", self.nodes.address]

    def at_gate(self) -> bool:
        """Whether an agent waits on each node."""
        there = {int(file.name) for file in self.gate.iterdir() if file.name.isdigit()}
        return all(there & set(node.pids()) for node in (self.near, self.far))

    def playing(self, side: Side, answers: int) -> bool:
        """Whether both nodes play an episode that has been paid for, the far one with so many answers; their processes
        are the run's."""
        side.pids.update(self.near.workers().values(), self.far.workers().values())
        near, far = (sum(self.paid(side, node).values()) for node in (self.near, self.far))
        return near > 0 and far >= answers

    def paid(self, side: Side, node: Node) -> dict[str, int]:
        """The answers of each episode that a node plays, as the run's folder has them."""
        journals = {key: side.run / key / "calls.jsonl" for key in node.workers()}
        return {key: file.read_bytes().count(b"\n") if file.is_file() else 0 for key, file in journals.items()}

    def left(self, side: Side) -> list[str]:
        """What is there that should be gone."""
        return side.left() + [path.name for path in self.temporary.iterdir()] + list(side.run.glob(".locks/seen"))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    if os.geteuid():
        pytest.skip("a node with folders of its own takes root")
    runs, temporary, gate = (tmp_path_factory.mktemp(name) for name in ("runs", "t", "gate"))
    with cluster(tmp_path_factory.mktemp("ray")) as nodes:
        env = {"TMPDIR": str(temporary), GATE: str(gate)}
        yield Two(nodes, nodes.start(env=env), nodes.start(env=env, hidden=runs), runs, temporary, gate)


def both_play(child: subprocess.Popen[str], side: Side, two: Two, answers: int = 1) -> None:
    """Wait until both nodes play an episode that has been paid for, the far one with so many answers."""
    try:
        until(lambda: child.poll() is not None or two.at_gate(), BEGUN_S, SEEN_S)
        (two.gate / "open").touch()
        until(lambda: child.poll() is not None or two.playing(side, answers), every_s=SEEN_S)
        assert child.poll() is None, child.communicate()
    except AssertionError:
        child.kill()
        raise


def test_ctrl_c_once_finishes_the_steps_that_run(two: Two, undisturbed: Undisturbed) -> None:
    side = two.side("once")
    with model_server(slowly(4.0)) as server:
        child = side.begin(server, *two.ray)
        both_play(child, side, two)
        child.send_signal(signal.SIGINT)
        code, said = ended(child)
        assert code == 130 and "--resume" in said, said
        assert len(server.bill) < SEEDS * STEPS and (side.lost(), two.left(side)) == (0, [])
        server.script = script
        code, said = side.end(server, *two.ray, "--resume")
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING and side.lost() == 0, "not even a call in flight"
    assert side.record() == undisturbed("local")


def test_ctrl_c_twice_ends_them_at_once(two: Two) -> None:
    side = two.side("twice")
    with model_server(slowly(600.0)) as server:
        child = side.begin(server, *two.ray)
        both_play(child, side, two)
        interrupted_twice(child)
    assert two.left(side) == [] and not two.near.workers() and not two.far.workers()


def test_workers_are_killed(two: Two, undisturbed: Undisturbed) -> None:
    """All, on either node: Ray begins their episodes again, which go on from what was paid."""
    side = two.side("workers")
    with model_server(slowly(2.0)) as server:
        child = side.begin(server, *two.ray)
        both_play(child, side, two)
        killed = 0
        for node in (two.far, two.near):
            for pid in node.workers().values():
                kill(pid)
                killed += 1
        code, said = ended(child)
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
        assert side.lost() <= killed, "at most the call in flight at each kill"
    assert two.left(side) == []
    assert side.record(bill=False) == undisturbed("local", bill=False)
    beside = [one for file in side.run.rglob(BESIDE) for one in read_events(file)]
    log = [one for one in read_events(side.run / LOG) if one.episode]
    assert Counter(map(repr, log)) == Counter(map(repr, beside)), "what was told on either node, once"
    assert all(any(one.episode == key for one in log) for key in (f"{TASK}/seed-{seed}" for seed in range(SEEDS)))


def test_a_node_that_differs_is_refused_before_anything_is_made(two: Two, tmp_path: Path) -> None:
    """Of another version; without a container engine. Each with what to do, and no run is begun."""
    other = tmp_path / "other"
    shutil.copytree(ROOT / "harness", other / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    init = other / "harness" / "__init__.py"
    init.write_text(init.read_text().replace('__version__ = "', '__version__ = "9.'))
    side = two.side("refused", "docker")
    away = ROOT / "harness"  # Ray's workers look where the driver does, as long as that is there
    stranger = two.nodes.start(env={"PYTHONPATH": str(other)}, cwd=tmp_path, hidden=away)
    mute = two.nodes.start(env={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    try:
        code, said = side.end(None, "--executor", "ray", "--address", two.nodes.address)
    finally:
        stranger.kill()
        mute.kill()
    assert code == 2 and "2 of 4 node(s) cannot play this run" in said, said
    assert "it has gymboard 9." in said and "pip install" in said, said
    assert "none answers" in said and "Start one" in said, said
    assert not (side.run / "run.json").exists() and not list(side.run.glob("*"))


@pytest.mark.docker
def test_the_driver_is_killed(two: Two, undisturbed: Undisturbed) -> None:
    """With SIGKILL, while both nodes play: its desk and its workers end with it, and --resume goes on at once."""
    side = two.side("driver", "docker")
    with model_server(slowly(2.0)) as server:
        child = side.begin(server, *two.ray)
        both_play(child, side, two)
        kill(child.pid)
        child.communicate()
        server.script = script
        code, said = side.end(server, *two.ray, "--resume")
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
        assert side.lost() <= SEEDS, "at most the call in flight of each"
    assert two.left(side) == []
    assert side.record(bill=False) == undisturbed("docker", bill=False)


@pytest.mark.docker
def test_a_node_is_lost(two: Two, undisturbed: Undisturbed) -> None:
    """Killed -9 in mid-run, a paid episode's journal on its own disk: lost 0, paid twice 0, leaked 0, same record."""
    side = two.side("lost", "docker")
    with model_server(slowly(2.0)) as server:
        child = side.begin(server, *two.ray)
        both_play(child, side, two, answers=3)
        far = two.paid(side, two.far)
        assert all(episode_held(side.run, key) for key, answers in far.items() if answers), "`runs show` says so"
        two.far.kill()
        code, said = ended(child, within_s=600)
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
        assert side.lost() <= len(far), "at most the call in flight of each episode there"
    assert two.left(side) == []
    assert side.record(bill=False) == undisturbed("docker", bill=False)


@pytest.mark.docker
def test_the_head_is_lost(two: Two, undisturbed: Undisturbed, tmp_path: Path) -> None:
    """And with it the desk, which plays beside the driver: the run ends in words, the node that is left ends its
    episode, and the run goes on, here and on a new cluster."""
    two.far = two.nodes.start(env=two.env, hidden=two.runs)
    side = two.side("head", "docker")
    with model_server(slowly(2.0)) as server:
        child = side.begin(server, *two.ray)
        both_play(child, side, two)
        two.near.kill()
        code, said = ended(child)
        assert code == 1 and "the Ray cluster is lost" in said and "--resume" in said, said
        assert "Traceback" not in said and str(side.run) in said, said
        until(lambda: not two.far.workers(), every_s=SEEN_S)
        two.far.kill()
        server.script = script
        code, said = side.end(server, *AGENT, "--resume", "--only", f"{TASK}/seed-0")
        assert code == 0, said
        with cluster(tmp_path) as another:
            another.start(env=two.env)
            code, said = side.end(server, *AGENT, "--executor", "ray", "--address", another.address, "--resume")
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
        assert side.lost() <= SEEDS, "at most the call in flight of each"
    assert two.left(side) == []
    assert side.record(bill=False) == undisturbed("docker", bill=False)

"""Does plain hyperparameter search beat the untouched starter? One line a seed: the starter, the tuner, the difference.

Run: `python tests/benchmarks/tuner_gain.py [docker|local [official|smoke [task,task [seed,seed]]]]`. Both are whole
episodes with sealed grades of their own; a line says with how many trials and validate calls the tuner got there.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.agents.base import Agent
from harness.agents.baseline import baseline_agent
from harness.agents.tuner import TunerAgent
from harness.runner.place import Place
from harness.runner.run import place_of, run_episode
from harness.sandbox import open_engine
from harness.schema.episode import Episode
from harness.schema.task import tasks_root

TASKS = "house-price,prisoners-dilemma,battle-of-sexes,colonel-blotto"


def sealed(place: Place, agent: Agent, seed: int) -> tuple[Episode, float]:
    """A whole episode and the sealed value of what it submitted."""
    with tempfile.TemporaryDirectory(prefix="gymboard-tuner-") as scratch:
        episode = run_episode(place, agent, seed, Path(scratch) / "episode")
    verdict = episode.attempts[-1].sealed
    assert verdict is not None and verdict.valid, f"{episode.key}: {episode.exit_status} {episode.exit_detail}"
    return episode, verdict.metrics[place.task.metric.name]


def main(kind: str = "docker", profile: str = "official", tasks: str = TASKS, seeds: str = "0,1,2,3") -> None:
    mirror = os.environ.get("GYMBOARD_DATA_MIRROR")
    with open_engine(kind) as engine:  # type: ignore[arg-type]
        for name in tasks.split(","):
            place = place_of(tasks_root() / name, profile, engine, Path(mirror) if mirror else None)  # type: ignore[arg-type]
            for seed in map(int, seeds.split(",")):
                _, floor = sealed(place, baseline_agent(place.task), seed)
                episode, value = sealed(place, TunerAgent(), seed)
                looks = episode.actions.get("Validate", 0)
                line = f"{name} {profile} seed {seed}: starter {floor:.5f}, tuner {value:.5f}, {value - floor:+.5f}"
                trials = episode.actions.get("Python", 0)
                print(f"{line}; {trials} trials, {looks} validate, {episode.usage.wall_s:.0f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

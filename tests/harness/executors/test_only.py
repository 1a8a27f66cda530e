"""`--only`: several processes, each with an episode of one run, as an array job has them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from tests.harness.executors.preloaded import preloaded
from tests.harness.executors.side import STEPS, Side, counted, ended, script, until
from tests.servers.answers import Answer
from tests.servers.models import Asked, model_server


def test_an_array_job_makes_one_run(tmp_path: Path) -> None:
    """Begun at the same moment in an empty folder: one run.json, every episode once, none twice. With NFS's locks."""
    side = Side(tmp_path / "shared", environment=preloaded("nfs_flock.c", tmp_path))
    with model_server(script) as server:
        array = [side.begin(server, "--only", f"house-price/seed-{seed}") for seed in range(side.seeds)]
        for child in array:
            code, said = ended(child)
            assert code == 0, said
        assert dict(counted(side, server)) == {"episodes lost": 0, "episodes paid twice": 0, "leaked": 0}
        assert not side.lost()
        code, said = side.end(server, "--resume", "--json")
        assert code == 0 and len(server.bill) == side.seeds * STEPS, "the whole run finds every episode there"
    assert json.loads((side.run / "run.json").read_text())["seeds"] == list(range(side.seeds))


def test_who_is_at_work_is_left_alone(tmp_path: Path) -> None:
    """The same episode, the whole run, other words: each is refused while one episode is played, with a reason."""
    side, enough = Side(tmp_path), threading.Event()

    def waiting(asked: Asked) -> Answer:
        enough.wait()
        return script(asked)

    with model_server(waiting) as server:
        child = side.begin(server, "--only", "house-price/seed-0")
        until(lambda: list(side.run.glob("house-price/seed-0/calls.jsonl")))
        refused = {
            "plays house-price/seed-0": ("--only", "house-price/seed-0"),
            "another process runs": ("--resume",),
            "another seeds": ("--only", "house-price/seed-1", "--seeds", "9"),
            "no such episode": ("--only", "house-price/seed-9"),
        }
        for reason, more in refused.items():
            code, said = side.end(server, *more)
            assert (code, reason in said) == (2, True), said
        enough.set()
        assert ended(child)[0] == 0
        assert len(server.bill) == STEPS

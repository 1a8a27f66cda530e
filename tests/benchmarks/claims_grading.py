"""What does a sealed grade of fineweb-lm cost? Arguments: [docker|local].

Smoke: trains the untouched starter, grades it and the oracle; prints seconds, the loss, and the largest process. Then
a slice of the official shape, in the torch family's python: claims of one window of 1,024 targets and a few audited
prefixes by an untrained model, in float32 on one thread, and what a whole grade would take. Asserts nothing.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal, cast

FOLDER = Path(__file__).resolve().parents[2] / "tasks" / "fineweb-lm"
SLICE = "official-slice"


def main(kind: str = "local") -> None:
    if kind == SLICE:
        official_slice()
        return
    from harness.images import environment

    python = str(environment("torch", print) / "bin" / "python")
    smoke(cast(Literal["docker", "local"], kind), python)
    subprocess.run([python, __file__, SLICE], env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)


def smoke(kind: Literal["docker", "local"], python: str) -> None:
    from harness.agents.oracle import oracle_artifact
    from harness.grading.base import GradeJob, grade
    from harness.runner.run import place_of
    from harness.sandbox import open_engine

    with open_engine(kind) as engine, tempfile.TemporaryDirectory() as made:
        place = place_of(FOLDER, "smoke", engine, None)
        assert place.agent_data and place.grader_data
        workspace = Path(made) / "workspace"
        shutil.copytree(FOLDER / "starter", workspace)
        params = {f"GYMBOARD_{name.upper()}": str(value) for name, value in place.task.profiles["smoke"].params.items()}
        begun = time.monotonic()
        subprocess.run(
            [python, "baseline.py"],
            cwd=workspace,
            env=os.environ | params | {"GYMBOARD_DATA": str(place.agent_data)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        print(f"training the starter: target <= 40 s, measured {time.monotonic() - begun:.1f} s", flush=True)
        trained = {name: (workspace / name).read_bytes() for name in ("model.safetensors", "player.py")}
        for name, artifact in {"starter": trained, "oracle": oracle_artifact(place.task, FOLDER, None)}.items():
            job = GradeJob(place.task, FOLDER, "smoke", "sealed", artifact, os.urandom(32), place.grader_data)
            verdict = grade(job, engine)
            print(f"{engine.kind} smoke {name}: {verdict.duration_s:.1f} s, {verdict.metrics} +- {verdict.stderr}")
            print(f"  n {verdict.n}, invalid {verdict.invalid}", flush=True)
        peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
        print(
            f"  largest process so far, the training included: {peak_mib:.0f} MiB (local only: Docker's are not ours)"
        )


def official_slice(prefixes: int = 4) -> None:
    """CPU seconds, not wall: other work on the machine does not count."""
    import numpy as np
    import torch

    sys.path.insert(0, str(FOLDER / "starter"))
    import player

    threads = torch.get_num_threads()
    torch.manual_seed(0)
    model = player.Decoder(50_304, 768, 6, 12).to(player.DEVICE).eval()
    window = np.random.default_rng(0).integers(0, 50_257, (1, 1025))
    player.claims(model, window[:, :65])
    begun = time.process_time()
    player.claims(model, window)
    claims_s = time.process_time() - begun
    begun = time.process_time()
    for length in np.linspace(64, 1024, prefixes, dtype=int):
        player.next_token(model, window[0, :length])
    next_s = (time.process_time() - begun) / prefixes
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{player.DEVICE}, {threads} threads: {claims_s:.2f} CPU s a window, {next_s:.2f} CPU s a prefix")
    print(f"64 windows and 700 prefixes on two cores: {(64 * claims_s + 700 * next_s) / 120:.0f} minutes (estimate)")
    print(f"10,240 windows and 700 prefixes: {(10240 * claims_s + 700 * next_s) / 7200:.1f} hours (estimate)")
    print(f"peak memory of this process: {peak_gib:.1f} GiB")


if __name__ == "__main__":
    main(*sys.argv[1:])

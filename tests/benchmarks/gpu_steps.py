"""Seconds per step, peak GPU memory and the official run's estimated length of every starter that trains a network.

Run with a python that holds the task's image family (torch and transformers, or jax and gymnax); nothing of Gymboard's
own packages is needed:

    python tests/benchmarks/gpu_steps.py [--cpu] [--tiny] [--steps N] [TASK ...]

Runs the starters themselves, as they stand, at official shapes on synthetic data (synthetic_inputs.py), stops them
after N steps, and prints rows for `[[resources]]` of task.toml. Without a GPU it says so and measures nothing, unless
--cpu asks for the CPU: then a step's seconds are CPU seconds of one thread, which other work on the machine does not
change. `--tiny` is for testing this script: shapes that mean nothing, on whatever device there is.
A GPU machine that lacks gymnax takes its wheels along: gymnax==1.0.1, gymnasium, farama-notifications, six.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from synthetic_steps import JAX, TORCH, inside

HERE = Path(__file__).resolve().parent
TASKS = HERE.parents[1] / "tasks"
ONE_THREAD = {
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC", "PJRT_NPROC"), "1"),
}
LOOK = {
    "torch": "import torch as t; print(t.cuda.get_device_name() if t.cuda.is_available() else '', t.__version__)",
    "jax": "import jax; d = jax.devices()[0]; print('' if d.platform == 'cpu' else d.device_kind, jax.__version__)",
}


@cache
def gpu_of(family: str) -> tuple[str, str]:
    """The GPU that the family's library sees, and the library's version; '' for what there is not."""
    ended = subprocess.run([sys.executable, "-c", LOOK[family]], capture_output=True, text=True, check=False)
    name, _, version = ended.stdout.strip("\n").rpartition(" ")
    return name, version


def cpu_name() -> str:
    named = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return named[0].partition(":")[2].strip() if named else platform.machine()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--inside", choices=("cpu", "gpu"))
    parser.add_argument("tasks", nargs="*", choices=[*TORCH, *JAX, []])
    given = parser.parse_args()
    if given.inside:
        print("\n" + json.dumps(inside(given.tasks[0], given.inside, given.tiny, given.steps)))
        return 0
    failed = [task for task in given.tasks or (*TORCH, *JAX) if not measure(task, given)]
    return int(bool(failed))


def measure(task: str, given: argparse.Namespace) -> bool:
    """Run one starter in a process and folder of its own, print its rows; False when it failed."""
    family = "jax" if task in JAX else "torch"
    gpu, version = gpu_of(family)
    if not version or not (gpu or given.cpu or given.tiny):
        print(f"# {task}: unmeasured: " + ("no GPU here" if version else f"this python has no {family}"), flush=True)
        return True
    device = "gpu" if gpu and not given.cpu else "cpu"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "workspace"
        shutil.copytree(TASKS / task / "starter", folder)
        words = ["--inside", device, "--steps", str(given.steps), *(["--tiny"] if given.tiny else []), task]
        hidden = ONE_THREAD if device == "cpu" else {}
        ended = subprocess.run(
            [sys.executable, str(HERE / Path(__file__).name), *words],
            cwd=folder, env=os.environ | hidden, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if ended.returncode:
        print(f"# {task}: failed:\n{ended.stderr[-3000:]}", flush=True)
        return False
    rows = json.loads(ended.stdout.splitlines()[-1])
    where = gpu if device == "gpu" else f"one thread of {cpu_name()}"
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"# {task} on {where}, {family} {version}; host memory so far at most {peak:.1f} GiB")
    for found in rows:
        show(found, device, f"{where}, {family} {version}", given.tiny)
    return True


def show(found: dict[str, Any], device: str, hardware: str, tiny: bool) -> None:
    """One row as it goes into task.toml."""
    hours = found["steps"] * found["seconds_per_step"] / 3600
    print(f"# {found['steps']:,} steps would take {hours:.2f} h" + (" (tiny shapes: means nothing)" if tiny else ""))
    print(f'[[resources]]\npart = "{found["part"]}"\ndevice = "{device}"\nsteps = {found["steps"]}')
    print(f"seconds_per_step = {found['seconds_per_step']}")
    if device == "gpu":
        print(f"peak_gpu_mib = {found['peak_gpu_mib']:.0f}")
    print(f'hardware = "{hardware}"\ndate = "{time.strftime("%Y-%m-%d")}"\nsource = "tests/benchmarks/gpu_steps.py"\n')
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())

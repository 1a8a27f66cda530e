"""What one step costs in one run on one machine: our sandbox, a bare persistent shell, `docker exec`, the SDK.

Run: PYTHONPATH=. python tests/benchmarks/step_latency.py [n]. Needs a container engine and the built cpu image. Prints
medians in milliseconds, target against measured, and exits 1 when a target is missed.
MLGym's 301 ms for one `communicate` is the figure measured for its released container, on two cores.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness import images
from harness.sandbox.base import BoxSpec, Caps
from harness.sandbox.docker import DockerEngine
from harness.sandbox.docker_box import DockerSandbox

MLGYM_MS = 301.0
BARE_RATIO_TARGET = 3.0
MLGYM_RATIO_TARGET = 50.0
CAPS = Caps(cpus=2.0)


def median_ms(call: Callable[[], object], n: int) -> float:
    call()
    times = []
    for _ in range(n):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def bare_shell(box: DockerSandbox) -> Callable[[], None]:
    """The least that can be done: bash on the exec socket, the mark on both streams, no check, no deadline."""
    api = box._container.client.api
    made = api.exec_create(box._container.id, ["bash", "--noprofile", "--norc"], stdin=True, user="1000")["Id"]
    wrapper = api.exec_start(made, socket=True)
    socket = wrapper._sock

    def step() -> None:
        socket.sendall(b"true </dev/null; echo @@mark; echo @@mark >&2\n")
        got = b""
        while got.count(b"@@mark\n") < 2:
            got += socket.recv(65536)

    step.wrapper = wrapper  # type: ignore[attr-defined] # the socket lives as long as the step
    return step


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    images.build("cpu", None, print)
    with DockerEngine() as engine, tempfile.TemporaryDirectory() as starter:
        begun = time.perf_counter()
        with engine.sandbox(BoxSpec("cpu", Path(starter), caps=CAPS)) as box:
            box.exec("true", 10)
            first = (time.perf_counter() - begun) * 1000
            name = box._container.id
            rows = {
                "gymboard: true": median_ms(lambda: box.exec("true", 10), n),
                "gymboard: /bin/true": median_ms(lambda: box.exec("/bin/true", 10), n),
                "bare shell, exec socket": median_ms(bare_shell(box), n),
                "docker SDK exec_run": median_ms(lambda: box._container.exec_run("true"), 20),
                "docker exec": median_ms(lambda: subprocess.run(["docker", "exec", name, "true"], check=True), 20),
                "gymboard: write 4 KiB": median_ms(lambda: box.write("file", b"x" * 4096), 20),
                "gymboard: copy_out 4 KiB": median_ms(lambda: box.copy_out([("file", 4096)]), 20),
            }
    for label, value in rows.items():
        print(f"{label:28} {value:9.3f} ms")
    print(f"{'start to first command':28} {first:9.1f} ms")
    ours = rows["gymboard: true"]
    slower, faster = ours / rows["bare shell, exec socket"], MLGYM_MS / ours
    print(f"against the bare shell: {slower:.2f} times   (target: at most {BARE_RATIO_TARGET:g})")
    print(f"against MLGym's 301 ms: {faster:.0f} times faster   (target: at least {MLGYM_RATIO_TARGET:g})")
    return 0 if slower <= BARE_RATIO_TARGET and faster >= MLGYM_RATIO_TARGET else 1


if __name__ == "__main__":
    sys.exit(main())

"""What a step of an agent with a language model costs beyond its command, and whether memory stays flat.

Run: PYTHONPATH=. python tests/benchmarks/agent_overhead.py [docker|local] [steps]. The model is a scripted server on
loopback, in a process of its own, that answers at once; the agent is tests/servers/asker.py; everything else is the
true path: litellm over HTTP, reservation, journal and steps each flushed to disk. In the same run: the same request by
litellm alone, and by a bare HTTP connection. Prints medians, target against measured; exits 1 when a target is missed.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

from harness import images
from harness.agents.base import Observation
from harness.files import LineFile
from harness.llm.base import ModelPlan
from harness.llm.meter import Models
from harness.llm.provider import Request, ask
from harness.runner.place import Place
from harness.runner.run import place_of, run_episode
from harness.sandbox import open_engine
from harness.schema.prices import Price
from harness.schema.steps import Action, read_steps
from harness.schema.task import tasks_root
from tests.servers.answers import tool
from tests.servers.asker import TOOLS, Asker
from tests.servers.models import model_server

OVERHEAD_MS, GROWTH_MIB = 15.0, 8.0
WARM = 100
PRICE = Price(models=("openai/scripted",), since="2026-01-01", input_usd=0.0, output_usd=0.0, source="benchmark")


class Watched(Asker):
    """Asker with a window of ten messages, its steps timed and the process's memory read at each."""

    def __init__(self) -> None:
        super().__init__(window=10)
        self.entered: list[float] = []
        self.resident: list[int] = []
        self.cpu: list[float] = []

    def act(self, observation: Observation) -> Action:
        self.entered.append(time.perf_counter())
        self.cpu.append(time.process_time())
        self.resident.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        return super().act(observation)


def serve(ready: Connection) -> None:
    """The scripted server, until its process is ended."""
    with model_server(lambda asked: tool("bash", command="true")) as server:
        server.asked = server.bill = server._prompts = Nothing()  # type: ignore[assignment] # a server that forgets
        ready.send(server.openai)
        time.sleep(86400)


class Nothing(list[object]):
    """A list that keeps nothing."""

    def append(self, one: object) -> None:
        return


def median_ms(call: Callable[[], object], n: int) -> float:
    times = []
    for _ in range(n):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def bare(url: str) -> Callable[[], bytes]:
    """The same question without any client library."""
    connection = http.client.HTTPConnection(url.split("/")[2])
    body = json.dumps({"model": "scripted", "messages": [{"role": "user", "content": "hi"}], "tools": TOOLS})

    def once() -> bytes:
        connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
        return connection.getresponse().read()

    return once


def longer(place: Place, steps: int) -> Place:
    limits = place.task.limits.model_copy(update={"steps": steps, "wall_time_s": 86400})
    task = place.task.model_copy(update={"limits": limits})
    return Place(task, place.folder, place.profile, place.engine, place.agent_data, place.grader_data)


def main(kind: str, steps: int) -> int:
    near, far = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(far,), daemon=True)
    server.start()
    url = near.recv()
    if kind == "docker":
        images.build("cpu", None, print)
    plan = ModelPlan("openai/scripted", url, price=PRICE, max_output_tokens=200)
    agent = Watched()
    with open_engine(kind) as engine, tempfile.TemporaryDirectory() as folder:  # type: ignore[arg-type]
        place = longer(place_of(tasks_root() / "colonel-blotto", "smoke", engine, None), steps)
        models = Models(plan, Path(folder), "2026-11-21")
        run_episode(place, agent, 0, Path(folder) / "episode", models=models)
        lines = [line for line in read_steps(Path(folder) / "episode" / "steps.jsonl") if line.by == "agent"]
    request = Request(plan.name, [{"role": "user", "content": "hi"}], TOOLS, 200)
    alone, wire = median_ms(lambda: ask(plan, request, 10.0), 200), median_ms(bare(url), 200)
    server.terminate()
    with tempfile.TemporaryDirectory() as folder, closing(LineFile(Path(folder) / "lines")) as lines_kept:
        flushed = median_ms(lambda: lines_kept.append(b"x" * 400), 100)
    whole = [after - before for before, after in zip(agent.entered[WARM:], agent.entered[WARM + 1 :], strict=False)]
    commands = [line.duration_s for line in lines[WARM:]]
    rest = sorted((step - command) * 1000 for step, command in zip(whole, commands, strict=False))
    beyond, floor = statistics.median(rest), rest[len(rest) // 20]
    growth = (agent.resident[-1] - agent.resident[WARM]) / 2**20
    print(f"# {platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {kind}, {steps} steps")
    print(f"{'one step, whole':32} {statistics.median(whole) * 1000:9.2f} ms")
    print(f"{'of it the command':32} {statistics.median(commands) * 1000:9.2f} ms")
    cpu = [after - before for before, after in zip(agent.cpu[WARM:], agent.cpu[WARM + 1 :], strict=False)]
    print(f"{'CPU time of ours, one step':32} {statistics.median(cpu) * 1000:9.2f} ms")
    print(f"{'litellm alone, one request':32} {alone:9.2f} ms")
    print(f"{'bare HTTP, one request':32} {wire:9.2f} ms")
    print(f"{'one flush to disk (three a step)':32} {flushed:9.2f} ms")
    print(f"{'beyond the command, fastest 5 %':32} {floor:9.2f} ms")
    print(f"beyond the command: {beyond:.2f} ms   (target: at most {OVERHEAD_MS:g})")
    print(f"resident memory, step {WARM} to {len(agent.entered)}: {growth:+.1f} MiB   (target: at most {GROWTH_MIB:g})")
    return 0 if beyond <= OVERHEAD_MS and growth <= GROWTH_MIB else 1


if __name__ == "__main__":
    kinds, counts = [*sys.argv[1:2], "docker"][0], [*sys.argv[2:3], "1000"][0]
    sys.exit(main(kinds, int(counts)))

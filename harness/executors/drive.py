"""A driver's side: begins a run or goes on with one, says which episodes are due, and has an executor play them.

Takes a run's words, an engine and an executor, gives every episode's end. Holds the run's folder meanwhile. Never plays
an episode itself.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence

from harness import images
from harness.errors import UsageError
from harness.executors.base import Executor, Job, Needs
from harness.executors.words import RunWords
from harness.runner.locks import GLANCE_S, clear_locks, episode_lock, run_lock
from harness.runner.progress import Watch
from harness.runner.run import Ended, RunPlan, begin, finished, keys_of, seed_of
from harness.sandbox.base import Engine
from harness.sandbox.gpus import parse_gpus
from harness.schema.task import TaskSpec, load_task


def drive(
    words: RunWords,
    plan: RunPlan,
    engine: Engine,
    executor: Executor,
    watch: Watch,
    stop: threading.Event,
    only: Sequence[str] = (),
) -> Generator[Ended, None, None]:
    """The end of every episode of the run, or of the `only` ones, cheap tasks first; what ended earlier is told first.

    `plan` is what the words mean here. With `only`, other processes may play other episodes of the run meanwhile.
    Raises UsageError, DataError, EngineUnavailable; KeyboardInterrupt after `stop` has ended it early.
    """
    wanted = jobs(words, only)
    with run_lock(plan.folder, shared=bool(only)), plan.telling.whole(profile=plan.profile, due=len(wanted)) as told:
        for key in only:
            with episode_lock(plan.folder, key, wait_s=GLANCE_S):
                pass  # refused now, and not when its turn comes
        begin(plan, engine)
        due: list[Job] = []
        for job in wanted:
            if there := finished(plan.folder, job.key):
                yield Ended(job.key, there, fresh=False)
            else:
                due.append(job)
        settled = words.absolute().model_copy(update={"sandbox": engine.kind, "traceparent": told.traceparent})
        for ended in executor.run(settled, due, watch, stop):
            due = [job for job in due if job.key != ended.key]
            yield ended
        if due:
            raise KeyboardInterrupt
        if not only:
            clear_locks(plan.folder)


def jobs(words: RunWords, only: Sequence[str] = ()) -> list[Job]:
    """The run's episodes, or the `only` ones, in the order in which they are begun: cheap tasks first, then seeds.

    Raises UsageError when the run has no such episode.
    """
    specs = {task: load_task(words.root / task).on(words.dataset) for task in words.tasks}
    cheap_first = sorted(words.tasks, key=lambda task: _price(specs[task]))
    keys = keys_of(cheap_first, words.seeds)
    if strangers := set(only) - set(keys):
        one = min(strangers)
        raise UsageError(
            f"--only {one}: the run has no such episode; it has {keys[0]} to {keys[-1]}, {len(keys)} in all"
        )
    return [Job(key, needs(specs[seed_of(key)[0]], words.gpus)) for key in keys if not only or key in only]


def needs(task: TaskSpec, gpus: str) -> Needs:
    """What an episode of a task takes; GPUs where its image has a CUDA variant."""
    wanted = parse_gpus(gpus) if images.cuda_variant(task.image) else None
    return Needs(task.limits.cpus, task.limits.memory_mib, wanted.count if wanted else 0)


def _price(task: TaskSpec) -> tuple[int, float, str]:
    """What orders tasks by what they take: memory, then the starter's own measured time."""
    return task.limits.memory_mib, sum(part.run_s or 0.0 for part in task.resources if part.device == "cpu"), task.id

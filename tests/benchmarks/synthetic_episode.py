"""The episodes of one made-up entry, and what the regrade of their best and final artifacts found.

Takes one random stream and what sets the entry apart, gives plain trees that the schemas accept as they are. Draws in
one fixed order, so that the same stream gives the same episodes. Never decides who the entry is.
"""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass
from typing import Any

from harness.schema.episode import Episode
from tests.benchmarks import synthetic_shape as shape
from tests.benchmarks.synthetic_shape import TaskShape

Tree = dict[str, Any]
DAY = "2026-11-20"
TRACED = "trace" in Episode.model_fields


@dataclass(frozen=True)
class Runs:
    """Draws one entry. `salt` makes artifacts its own, or another's in a copy; `calls`: it calls a model.

    How much is drawn depends on `draw` alone, so that a twin with another model keeps in step with its original.
    """

    draw: random.Random
    salt: str
    kind: str
    ability: float
    calls: bool
    output: float
    cached: float
    reasoning: float

    def episode(self, task: TaskShape, seed: int, level: float, cap: float) -> tuple[Tree, list[Tree]]:
        """One episode and the verdicts of its best and its final artifact."""
        draw = self.draw
        status = draw.choices(list(shape.ENDS), list(shape.ENDS.values()))[0]
        steps = self._steps(status)
        attempts = self._attempts(task, seed, status, steps, level + draw.gauss(0, shape.SEED_SD), cap)
        actions, trace = self._actions(steps, attempts)
        profile = "smoke" if self.kind == shape.SMOKE else "official"
        tree = {
            "task": task.id,
            "task_version": "1.0.0",
            "profile": profile,
            "seed": seed,
            "exit_status": status,
            "started": f"{DAY}T{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}Z",
            "steps": steps,
            "actions": actions,
            "attempts": [attempt for attempt, _ in attempts],
            "usage": self._usage(steps, trained=task.id not in ("house-price", "three-sat")),
        }
        if TRACED:
            tree["trace"] = trace
        if status != "success":
            tree["exit_detail"] = f"ended after step {steps}: {status}"
        return tree, self._found(task, seed, attempts)

    def _steps(self, status: str) -> int:
        mean, spread = shape.STEPS.get(status, shape.OTHER_STEPS)
        return max(4, min(50, round(math.exp(self.draw.gauss(mean, spread)))))

    def _attempts(
        self, task: TaskShape, seed: int, status: str, steps: int, final: float, cap: float
    ) -> list[tuple[Tree, float | None]]:
        """Attempts, each with the true value of its artifact; None: it has none."""
        draw = self.draw
        if draw.random() < shape.NOTHING_HANDED_IN.get(status, 0.0):
            return []
        count = 1 + int(draw.expovariate(1 / shape.FURTHER_ATTEMPTS))
        count = min(count, shape.MAX_ATTEMPTS, steps - 1)
        at = [*sorted(draw.sample(range(1, steps), count - 1)), steps]
        ends_by_submit = status in ("success", "evaluation_error", "max_steps")
        made: list[tuple[Tree, float | None]] = []
        for index in range(count):
            submit = ends_by_submit and index == count - 1
            tree: Tree = {"index": index, "step": at[index], "kind": "submit" if submit else "validate"}
            bad = status == "evaluation_error" if submit else draw.random() < shape.VAIN_VALIDATES
            again = submit and not bad and made and draw.random() < shape.SUBMITS_WHAT_IT_VALIDATED
            if again and made[-1][1] is not None:
                before, value = made[-1]
                tree |= {name: before[name] for name in ("artifact_sha256", "artifact_bytes", "sealed")}
            else:
                value = None if bad else self._value(task, final + self._from_last(count - 1 - index), cap)
                tree |= self._handed_in(task, seed, index, value, submit)
            made.append((tree, value))
        return made

    def _from_last(self, before: int) -> float:
        """How far an attempt's progress lies from that of the last one."""
        if before == 0:
            return 0.0
        better = self.draw.random() > shape.LAST_IS_BEST ** (1 / before)
        return abs(self.draw.gauss(0, 0.1)) if better else -abs(self.draw.gauss(0, 0.3))

    def _value(self, task: TaskShape, progress: float, cap: float) -> float:
        """Progress on the task's own scale: the last fifth before `cap` is hard, below the baseline lies the floor."""
        knee = cap - 0.2
        if progress > knee:
            progress = cap - 0.2 * math.exp((knee - progress) / 0.2)
        progress = max(-1.0, progress)
        span = task.reference - task.baseline if progress >= 0 else task.baseline - task.floor
        return min(max(task.baseline + progress * span, task.bounds[0]), task.bounds[1])

    def _handed_in(self, task: TaskShape, seed: int, index: int, value: float | None, submit: bool) -> Tree:
        if value is None and self.draw.random() < 0.4:
            return {"refused": "submission.csv: the workspace holds no such file"}
        digest = hashlib.sha256(f"{self.salt} {task.id} {seed} {index}".encode()).hexdigest()
        tree: Tree = {"artifact_sha256": digest, "artifact_bytes": self.draw.randrange(400, 60_000)}
        claimed = value
        if value is not None and self.kind == shape.INFLATED:
            claimed = value + 0.1 * abs(value) * (1 if task.direction == "max" else -1)
        if not submit:
            tree["validation"] = self._verdict(task, "validation", value, luck=3.0)
        return tree | {"sealed": self._verdict(task, "sealed", claimed, luck=1.0 if task.drawn else 0.0)}

    def _verdict(self, task: TaskShape, split: str, value: float | None, luck: float) -> Tree:
        """A grade that errs by `luck` standard errors; the validation split is other rows, and smaller."""
        draw = self.draw
        tree: Tree = {"split": split, "grader_version": "1.0.0", "duration_s": round(draw.uniform(0.4, 90), 3)}
        if task.drawn and split == "sealed":
            tree["seed"] = f"{draw.getrandbits(256):064x}"
        if value is None:
            why = "submission.csv: row 17 has no prediction; every id needs one"
            return tree | {"invalid": why, "metrics": {}, "stderr": {}}
        stderr = task.stderr * draw.uniform(0.8, 1.25)
        value = min(max(value + luck * stderr * draw.gauss(0, 1), task.bounds[0]), task.bounds[1])
        metrics, errors = {task.metric: value}, {task.metric: stderr}
        if task.beside:
            name, slope, offset = task.beside
            metrics[name], errors[name] = slope * value + offset, abs(slope) * stderr
        return tree | {"metrics": metrics, "stderr": errors, "n": task.n}

    def _found(self, task: TaskShape, seed: int, attempts: list[tuple[Tree, float | None]]) -> list[Tree]:
        """A fresh verdict on the final artifact and on the best by the run's own claim, as `gymboard regrade` gives."""
        sign = -1 if task.direction == "max" else 1
        valid = [(sign * a["sealed"]["metrics"][task.metric], a["index"]) for a, value in attempts if value is not None]
        kept = {min(valid)[1]} if valid else set()
        if attempts and "artifact_sha256" in attempts[-1][0]:
            kept.add(attempts[-1][0]["index"])
        graded: dict[str, Tree] = {}
        found = []
        for index in sorted(kept):
            attempt, value = attempts[index]
            digest = attempt["artifact_sha256"]
            if digest not in graded:
                graded[digest] = self._verdict(task, "sealed", value, luck=1.0 if task.drawn else 0.0)
            about = {"task": task.id, "seed": seed, "attempt": index, "artifact_sha256": digest}
            found.append(about | {"verdict": graded[digest]})
        return found

    def _actions(self, steps: int, attempts: list[tuple[Tree, float | None]]) -> tuple[dict[str, int], str]:
        names = self.draw.choices(list(shape.ACTIONS), list(shape.ACTIONS.values()), k=steps)
        for attempt, _ in attempts:
            names[attempt["step"] - 1] = attempt["kind"].capitalize()
        counts = {name: names.count(name) for name in sorted(set(names))}
        return counts, "".join(shape.LETTERS[name] for name in names)

    def _usage(self, steps: int, *, trained: bool) -> Tree:
        draw = self.draw
        wall = steps * draw.lognormvariate(3.0, 0.6) + (draw.lognormvariate(7.0, 0.7) if trained else 0.0)
        tree: Tree = {"wall_s": round(wall, 3), "gpu_s": round(wall * draw.uniform(0.2, 0.8), 3) if trained else 0.0}
        base, power, spread = shape.INPUT_TOKENS
        sent = int(math.exp(draw.gauss(base + power * math.log(steps), spread)))
        written = int(steps * math.exp(draw.gauss(self.output, shape.OUTPUT_A_STEP[2])))
        tokens = {
            "input_tokens": sent,
            "cached_tokens": int(sent * self.cached),
            "cache_write_tokens": int(sent * self.cached * 0.1),
            "output_tokens": written,
            "reasoning_tokens": int(written * self.reasoning),
            "api_calls": steps + draw.randrange(3),
        }
        return tree | (tokens if self.calls else dict.fromkeys(tokens, 0))

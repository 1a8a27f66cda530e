"""Bad input to every task, through its true grader: an invalid attempt whose reason tells the agent what to mend.

What an agent hands in is a good artifact with one fault. Faults of the files are graded as they are; what only the
copy-out can see (thousands of files, missing ones) goes through a whole episode in a sandbox.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from harness import images
from harness.agents.oracle import oracle_artifact
from harness.agents.scripted import ScriptedAgent
from harness.errors import ImageError
from harness.runner.episode import Place
from harness.runner.run import place_of, run_episode
from harness.runner.words import verdict_text
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.steps import Action
from harness.schema.task import TaskSpec, load_tasks, tasks_root

Files = dict[str, bytes]
Spoil = Callable[[Files, str], None]
Rows = list[list[str]]
SPECS = load_tasks()
MEGABYTE = 1_000_000
TINY = """rm -f {name}; mkdir {name}; cd {name}; python -c 'for n in range({count}): open(str(n), "w").close()'"""
MANY = 50_000
FEW = 100


def rewritten(change: Callable[[Rows], None]) -> Spoil:
    """A fault of a CSV file's rows, the header first."""

    def spoil(files: Files, name: str) -> None:
        rows = list(csv.reader(io.StringIO(files[name].decode(), newline="")))
        change(rows)
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        files[name] = text.getvalue().encode()

    return spoil


def prefixed(text: bytes) -> Spoil:
    return lambda files, name: files.update({name: text + files[name]})


def followed(text: bytes) -> Spoil:
    return lambda files, name: files.update({name: files[name] + text})


def replaced(text: bytes) -> Spoil:
    return lambda files, name: files.update({name: text})


def longer(rows: Rows) -> None:
    rows[1][1] = "9" * MEGABYTE


def other_ids(rows: Rows) -> None:
    """Ids that look like ours and belong to no row of the inputs, as those of another split or preparation do."""
    for number, row in enumerate(rows[1:]):
        row[0] = f"{number:016x}"


def more_columns(rows: Rows) -> None:
    rows[:] = [[*row, "1"] for row in rows]


def fewer_columns(rows: Rows) -> None:
    rows[:] = [row[:1] for row in rows]


def odd_id(rows: Rows) -> None:
    rows[1][0] = "\x1b[2Jid"


def odd_value(rows: Rows) -> None:
    rows[1][1] = "a\x07\x1b]0;x"


TABLES: Mapping[str, tuple[Spoil, str]] = {
    "other columns": (prefixed(b"x"), "must name exactly the columns"),
    "one column more": (rewritten(more_columns), "must name exactly the columns"),
    "one column less": (rewritten(fewer_columns), "must name exactly the columns"),
    "no header": (rewritten(lambda rows: rows.reverse()), "must name exactly the columns"),
    "one row less": (rewritten(lambda rows: rows.__delitem__(1)), "missing: 1 such ("),
    "one row twice": (rewritten(lambda rows: rows.append(rows[1])), "more than once: 1 such ("),
    "ids of another split": (rewritten(other_ids), "unknown: "),
    "invalid UTF-8": (followed(b"\xff\xfe,1\n"), "is not UTF-8 (byte 0xff)"),
    "control characters in an id": (rewritten(odd_id), "unknown: 1 such (?[2Jid)"),
    "one value of a megabyte": (rewritten(longer), " bytes; at most "),
    "empty": (replaced(b""), "is empty"),
}
VALUES: Mapping[str, tuple[Spoil, str]] = {"control characters": (rewritten(odd_value), "-> a??]0;x")}
PROGRAMS: Mapping[str, tuple[Spoil, str]] = {
    "invalid UTF-8": (prefixed(b"# caf\xe9\n"), "is not UTF-8 text (byte 5)"),
    "a NUL": (prefixed(b"# \0\n"), "contains a NUL character"),
    "one megabyte": (prefixed(b"#" * MEGABYTE + b"\n"), "at most 65536 are allowed"),
    "a syntax error": (prefixed(b"def (:\n"), "SyntaxError"),
    "no function": (replaced(b"x = 1\n"), "does not define the function "),
    "control characters in an error": (prefixed(b"raise ValueError('\\x1b[2J\\x07gone')\n"), "ValueError: [2Jgone"),
}
RETURNS = {
    "prisoners-dilemma": (b"def row_strategy(history):\n    return 2\n", "2 is no move: "),
    "battle-of-sexes": (b"def row_strategy(history):\n    return 'opera'\n", "a move is one integer, not str opera"),
    "colonel-blotto": (b"def row_strategy(history):\n    return [24] * 5\n", "a move is 6 integers, not list [24, 24"),
    "three-sat": (b"def heuristic_fn(*given):\n    return 0, True\n", "unassigned variable"),
    "breakout": (b"def load(path):\n    pass\n\n\ndef act(*given):\n    return [0]\n", "i4 (1,), wanted i4 (128,)"),
    "meta-maze": (b"def load(path):\n    pass\n\n\ndef act(*given):\n    return [0.5] * 128\n", "integers"),
    "mountain-car": (
        b"def load(path):\n    pass\n\n\ndef act(*given):\n    return [0.5] * 128\n",
        "wanted f4 (128, 1)",
    ),
    "fineweb-lm": (b"def load(path):\n    pass\n\n\nclaims = next_token = lambda *given: [0.5]\n", "wanted f4 ("),
}
WIDTHS = {"breakout": 400, "meta-maze": 15, "mountain-car": 2}
CHECKPOINTS: Mapping[str, tuple[Spoil, str]] = {
    "half a checkpoint": (lambda files, name: files.update({name: files[name][:-2]}), "its tensors end at"),
    "a pickle": (replaced(b"\x80\x04\x95" * 9), "is no safetensors file"),
    "an empty checkpoint": (replaced(b""), "is no safetensors file"),
}


def faults() -> Iterator[tuple[str, str, Spoil, str]]:
    """(task, fault, what it does to the good artifact, what the reason must say)."""
    for task, spec in SPECS.items():
        tables = spec.grader.kind == "predictions"
        found = dict(TABLES if tables else PROGRAMS)
        if tables and spec.grader.target_type != "str":  # any text is a label; a wrong one is a wrong answer
            found |= VALUES
        if task in RETURNS:
            code, said = RETURNS[task]
            found["an answer of the wrong kind"] = (replaced(code), said)
        for name, (spoil, said) in found.items():
            yield task, name, spoil, said
        if any(file.media == "safetensors" for file in spec.artifact):
            for name, (spoil, said) in CHECKPOINTS.items():
                yield task, name, spoil, said


FAULTS = list(faults())


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine("local") as opened:
        yield opened


def good(place: Place) -> Mapping[str, bytes]:
    return oracle_artifact(place.task, place.folder, place.grader_data)


@pytest.fixture(scope="module")
def places(engine: Engine) -> Callable[[str], Place]:
    """The task ready to be graded as plain processes; skips where its image family is not built."""

    @cache
    def ready(task: str) -> Place:
        try:
            images.environment_folder(SPECS[task].image)
        except ImageError as error:
            pytest.skip(str(error))
        return place_of(tasks_root() / task, "smoke", engine, None, SPECS[task])

    return ready


def spoiled_file(task: TaskSpec, fault: str) -> str:
    """The file that the fault is in: a checkpoint where it is one, else the table or the program."""
    media = "safetensors" if fault in CHECKPOINTS else ("csv" if task.grader.kind == "predictions" else "python")
    return next(file.path for file in task.artifact if file.media == media)


@pytest.mark.parametrize(
    ("task", "fault", "spoil", "said"), FAULTS, ids=[f"{task}-{name}" for task, name, *_ in FAULTS]
)
def test_a_bad_artifact_is_invalid_with_a_reason(
    places: Callable[[str], Place], task: str, fault: str, spoil: Spoil, said: str
) -> None:
    place = places(task)
    files = dict(good(place))
    spoil(files, spoiled_file(place.task, fault))
    told = refusal(place, files)
    assert said in told


def refusal(place: Place, files: Files) -> str:
    """What the agent is told about this artifact. Printable, short, and no score beside it."""
    verdict = place.grade(files, "validation")
    assert verdict.invalid and not verdict.metrics
    told = verdict_text(place.task, "smoke", verdict)
    assert told.startswith("invalid artifact: ")
    assert len(told) < 2100
    assert all(char.isprintable() or char == "\n" for char in told)
    return told


@pytest.mark.parametrize("task", WIDTHS)
def test_a_checkpoint_of_another_shape_is_told_by_the_starters_player(
    places: Callable[[str], Place], task: str
) -> None:
    """The untouched player.py, and layers that fit another environment."""
    place = places(task)
    files = {"player.py": (place.folder / "starter" / "player.py").read_bytes()}
    layer = {"actor.0.weight": np.ones((WIDTHS[task] + 1, 3), np.float32), "actor.0.bias": np.ones(3, np.float32)}
    files |= {file.path: save(layer) for file in place.task.artifact if file.media == "safetensors"}
    told = refusal(place, files)
    assert "ValueError: matmul" in told and str(WIDTHS[task] + 1) in told


def test_a_model_of_another_shape_is_told_by_the_starters_player(places: Callable[[str], Place]) -> None:
    place = places("fineweb-lm")
    shape = {"vocabulary": "64", "width": "32", "heads": "2", "layers": "1"}
    model = save({"embedding.weight": np.zeros((65, 32), np.float32)}, metadata=shape)
    player = (place.folder / "starter" / "player.py").read_bytes()
    told = refusal(place, {"player.py": player, "model.safetensors": model})
    assert "size mismatch for embedding.weight" in told or "Missing key" in told


@pytest.mark.parametrize("task", SPECS)
def test_a_folder_of_tiny_files_for_an_artifact_is_refused(
    places: Callable[[str], Place], task: str, tmp_path: Path
) -> None:
    """Where one file is declared; the episode ends, and its record says why. How many files it holds is no task's
    concern: a few in each task, fifty thousand in one."""
    count = MANY if task == "colonel-blotto" else FEW
    place = places(task)
    name = place.task.artifact[0].path
    episode = run_episode(
        place, ScriptedAgent("tiny", [Action(kind="bash", command=TINY.format(name=name, count=count))]), 0, tmp_path
    )
    assert episode.exit_status == "evaluation_error"
    [attempt] = episode.attempts
    assert attempt.refused == f"artifact {name!r} is refused: it is a folder; only a regular file is taken"


def test_fifty_thousand_tiny_files_beside_a_good_artifact_change_nothing(
    places: Callable[[str], Place], tmp_path: Path
) -> None:
    place = places("colonel-blotto")
    files = [Action(kind="write", path=name, data=data) for name, data in good(place).items()]
    agent = ScriptedAgent("tiny", [*files, Action(kind="bash", command=TINY.format(name="tiny", count=MANY))])
    episode = run_episode(place, agent, 0, tmp_path)
    assert episode.exit_status == "success"
    sealed = episode.attempts[-1].sealed
    assert sealed is not None and sealed.metrics["mean_payoff"] > 0.2
    assert (tmp_path / "workspace.patch").stat().st_size <= 300_000

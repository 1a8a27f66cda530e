"""What a hostile submitter, a sloppy maintainer, an odd reader and a bad machine tried, and what came of it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import GymboardError, SchemaError
from harness.schema.base import canonical_bytes
from harness.schema.bundle import Bundle
from harness.schema.episode import Episode, Usage
from scoring.build import build, build_leaderboard
from scoring.facts import read
from scoring.facts.read import read_facts
from scoring.ledger import LEDGER, append_line
from scoring.yardstick import Season, load_season
from tests.scoring.builder import GOOD, NOW, decide, everywhere, include, regrade, run_bundle, verdict, write_entry
from tests.scoring.conftest import COMMITTED, Enter
from tests.scoring.facts_board import relations, write_imports
from tests.scoring.test_rank_command import ROOT, gymboard

HUGE = 1.7e308
USED = Usage(input_tokens=1_000, output_tokens=100, api_calls=1)


def each(bundle: Bundle, change: Callable[[Episode], Episode]) -> Bundle:
    return bundle.model_copy(update={"episodes": tuple(map(change, bundle.episodes))})


def usage(**used: float) -> Callable[[Episode], Episode]:
    return lambda episode: episode.model_copy(update={"usage": USED.model_copy(update=used)})


def actions(**counts: int) -> Callable[[Episode], Episode]:
    return lambda episode: episode.model_copy(update={"actions": counts})


def attempts(name: str, value: float, stderr: float = 0.1) -> Callable[[Episode], Episode]:
    def change(episode: Episode) -> Episode:
        split = "validation" if name == "validation" else "sealed"
        good = verdict(episode.task, 0.9)
        numbers = {"metrics": dict.fromkeys(good.metrics, value), "stderr": dict.fromkeys(good.stderr, stderr)}
        found = good.model_copy(update={"split": split, **numbers})
        made = tuple(attempt.model_copy(update={name: found}) for attempt in episode.attempts)
        return episode.model_copy(update={"attempts": made})

    return change


def enter_by_hand(submissions: Path, name: str, data: bytes) -> Path:
    """Bytes that no command would include, with a line that includes them."""
    folder = submissions / name
    folder.mkdir(parents=True)
    (folder / "bundle.json").write_bytes(data)
    about = {"time": NOW, "entry": name, "bundle_sha256": hashlib.sha256(data).hexdigest()}
    append_line(submissions / LEDGER, {**about, "kind": "inclusion", "reason": "in a hurry"})
    return folder


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (actions(Bash=2**53), "episodes[0].actions.Bash"),
        (usage(wall_s=HUGE), "episodes[0].usage.wall_s"),
        (usage(reported_cost_usd=HUGE), "episodes[0].usage.reported_cost_usd"),
        (attempts("validation", -HUGE), "episodes[0].attempts[0].validation.metrics.r2"),
        (attempts("sealed", HUGE), "episodes[0].attempts[0].sealed.metrics.r2"),
        (attempts("validation", 0.9, stderr=HUGE), "episodes[0].attempts[0].validation.stderr.r2"),
    ],
)
def test_numbers_that_would_overflow_stop_nobody_else(
    submissions: Path, enter: Enter, change: Callable[[Episode], Episode], reason: str
) -> None:
    enter("honest", everywhere(GOOD))
    evil = each(run_bundle("evil", everywhere(GOOD)), change)
    folder = enter_by_hand(submissions, "evil", evil.canonical())
    with pytest.raises(SchemaError, match=r"than or equal|beyond"):
        include(submissions, folder)
    board = build_leaderboard(submissions)
    [rejection] = board.rejections
    assert rejection.folder == "evil"
    assert reason in rejection.reasons[0]
    assert [row.id for row in board.boards[0].rows if row.standings and row.standings["last"].rank] == ["honest"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-1e999"])
def test_included_bytes_with_a_number_that_is_none_are_rejected(submissions: Path, enter: Enter, number: str) -> None:
    enter("honest", everywhere(GOOD))
    data = run_bundle("mine", everywhere(GOOD)).canonical().replace(b": 0.92\n", f": {number}\n".encode(), 1)
    enter_by_hand(submissions, "mine", data)
    with read_facts(submissions) as facts:
        [(folder, reasons)] = facts.rejections
        assert facts.db.execute("SELECT entry FROM entries").fetchall() == [("honest",)]
    assert folder == "mine"
    assert "episodes[0].attempts[0].sealed.metrics.r2" in reasons[0]


def test_an_episode_twice_is_rejected_by_its_name(submissions: Path) -> None:
    tree = json.loads(run_bundle("mine", everywhere(GOOD)).canonical())
    tree["episodes"].append(tree["episodes"][2])
    enter_by_hand(submissions, "mine", canonical_bytes(tree))
    [(_, reasons)] = read_facts(submissions).rejections
    assert "house-price/seed-2 appears 2 times" in " ".join(reasons)


def test_who_has_no_rank_pushes_nobody_off_the_frontier(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    enter("honest", everywhere(GOOD))
    better = everywhere({**GOOD, "three-sat": 0.6, "house-price": 0.925})
    cheap = each(run_bundle("removed-from-rank", better), usage())
    folder = write_entry(submissions, cheap, tmp_path / "keys")
    include(submissions, folder)
    regrade(submissions, folder, better)
    board = build_leaderboard(submissions).boards[0]
    assert {(p.row, p.frontier) for p in board.pareto if p.column == "last"} == {
        ("honest", False),
        ("removed-from-rank", True),
    }
    decide(submissions, folder, "downgrade", level="signed")
    board = build_leaderboard(submissions).boards[0]
    assert {(p.row, p.frontier) for p in board.pareto if p.column == "last"} == {
        ("honest", True),
        ("removed-from-rank", False),
    }


def test_tokens_without_a_models_name_are_not_free(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    silent = each(run_bundle("silent", everywhere(GOOD), model=None), usage())
    folder = write_entry(submissions, silent, tmp_path / "keys")
    include(submissions, folder)
    regrade(submissions, folder, everywhere(GOOD))
    with build(submissions, readings=["season"]) as built:
        [ranking] = built.rankings
        [row] = ranking.table("costs").to_dicts()
        board = ranking.table("board", "last").filter(entry="silent").to_dicts()
    assert (row["usd_per_episode"], row["words"]) == (None, "has token counts, but names no model")
    assert [(one["rank"], one["cost_usd"], one["frontier"]) for one in board] == [(1, None, False)]


def test_only_an_inclusion_takes_a_removal_back(submissions: Path, enter: Enter) -> None:
    folder = enter("mine", everywhere(GOOD))
    decide(submissions, folder, "removal")
    regrade(submissions, folder, everywhere(GOOD))
    decide(submissions, folder, "review")
    [(_, [reason])] = read_facts(submissions).rejections
    assert "removed on" in reason
    include(submissions, folder)
    with read_facts(submissions) as facts:
        assert facts.rejections == ()
        assert facts.db.execute("SELECT level FROM entries").fetchall() == [("regraded",)]


def test_two_inclusions_are_one_entry(submissions: Path, enter: Enter) -> None:
    folder = enter("mine", everywhere(GOOD))
    include(submissions, folder)
    with read_facts(submissions) as facts:
        assert facts.db.execute("SELECT entry, level, included FROM entries").fetchall() == [("mine", "regraded", 0)]


def preview(place: Path, name: str = "mine", **bundle: str) -> Path:
    place.mkdir()
    (place / "bundle.json").write_bytes(run_bundle(name, everywhere(GOOD), **bundle).canonical())
    return place


def test_a_preview_cannot_take_the_baselines_place(submissions: Path, tmp_path: Path) -> None:
    with pytest.raises(GymboardError, match="the baseline's own"):
        build(submissions, previews=[preview(tmp_path / "preview", "baseline")])


def test_a_preview_stands_beside_who_is_ranked(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    enter("honest", everywhere(GOOD))
    enter("pasted", everywhere({**GOOD, "house-price": 0.999}))
    board = build_leaderboard(submissions, previews=[preview(tmp_path / "preview")]).previews[0]
    ranks = {row.id: row.standings["last"].rank for row in board.rows if row.kind != "baseline"}
    assert ranks == {"honest": 1, "mine": 1, "pasted": None}


def test_tasks_and_levels_hold_for_a_preview_too(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    enter("honest", everywhere(GOOD))
    place = preview(tmp_path / "preview", "honest")
    arguments = ("rank", "--submissions", str(submissions), "--with", str(place), "--format", "json", "--tasks")
    boards = json.loads(gymboard(*arguments, "house-price", "--explain", "honest").stdout)["boards"]
    assert [[task["task"] for task in board["tasks"]] for board in boards] == [["house-price"]] * 2
    assert [board["preview"] for board in boards] == [False, True]
    none = gymboard(*arguments, "house-price", "--level", "replayed")
    assert {row["kind"] for row in json.loads(none.stdout)["boards"][1]["rows"]} == {"preview", "baseline"}


def test_a_published_entrys_findings_are_not_its_namesakes(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    enter("mine", everywhere(GOOD), everywhere({**GOOD, "house-price": 0.9}))
    place = preview(tmp_path / "preview")
    done = gymboard(
        *("rank", "--submissions", str(submissions), "--with", str(place), "--format", "json", "--explain", "mine")
    )
    published, beside = json.loads(done.stdout)["boards"]
    assert "claim-differs" in {flag["flag"] for flag in published["flags"]}
    assert beside["flags"] == []


def tree_of(season: Season) -> dict[str, object]:
    return season.model_dump(mode="json")


def test_a_season_ranks_every_task_once_and_at_least_one(tmp_path: Path) -> None:
    good = load_season()
    tasks = [task.model_dump(mode="json") for task in good.tasks]
    spoiled = {
        "appears 2 times": tree_of(good) | {"tasks": [*tasks, tasks[0]]},
        "none is rankable": tree_of(good) | {"tasks": [task | {"rankable": False} for task in tasks]},
        "tau_max": tree_of(good) | {"tau_max": 1e308},
    }
    for reason, tree in spoiled.items():
        with pytest.raises(SchemaError, match=reason):
            Season.from_json(json.dumps(tree))
    (tmp_path / "odd.toml").write_bytes(b"\xff\xfe")
    done = gymboard("rank", "--season", str(tmp_path / "odd.toml"))
    assert (done.returncode, "is not UTF-8" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_at_least_is_a_number(number: str) -> None:
    done = gymboard("rank", "--reading", "live", "--at-least", number)
    assert (done.returncode, "no AUP" in done.stderr) == (2, True)


def test_folder_names_of_any_bytes_are_written_as_utf_8(submissions: Path) -> None:
    for name in (b"\xff\xfe", b"two\nlines", b"\x1b[31mred"):
        os.mkdir(os.fsencode(submissions) + b"/" + name)  # noqa: PTH102
    arguments = ("rank", "--submissions", str(submissions), "--format", "json")
    for encoding in ("utf-8:strict", "ascii"):
        done = gymboard(*arguments, PYTHONIOENCODING=encoding)
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stderr
        names = [one["folder"] for one in json.loads(done.stdout)["rejections"]]
        assert names == ["\x1b[31mred", "\\xff\\xfe", "two\nlines"]
    assert len(build_leaderboard(submissions).model_dump_json()) > 0


def test_the_same_bytes_in_another_locale_time_zone_and_on_one_core(tmp_path: Path) -> None:
    plain = gymboard("rank", "--reading", "live", GYMBOARD_HOME=str(tmp_path / "a"))
    other = {"LC_ALL": "de_DE.ISO-8859-1", "TZ": "Pacific/Kiritimati", "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, str(ROOT / "gymboard.py"), "rank", "--reading", "live"]
    done = subprocess.run(
        command,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **other, "GYMBOARD_HOME": str(tmp_path / "b"), "PYTHONIOENCODING": "ascii"},
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
        check=True,
    )
    assert done.stdout == plain.stdout.encode()


def test_a_user_without_a_home_keeps_nothing(submissions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(read, "home", homeless)
    with build(submissions) as built:
        assert len(built.rankings) == 3


def test_odd_things_in_the_cache_are_no_segments(tmp_path: Path) -> None:
    write_imports(tmp_path / "submissions", 2)
    segments = tmp_path / "cache" / "segments"
    for name in ("a-folder", "a-pipe"):
        (segments / name).mkdir(parents=True)
    (segments / "a-folder" / "manifest.json").mkdir()
    os.mkfifo(segments / "a-pipe" / "manifest.json")
    os.mkfifo(segments / "pipe")
    (segments / "link").symlink_to("nowhere")
    with (
        read_facts(tmp_path / "submissions", cache=tmp_path / "cache") as facts,
        read_facts(tmp_path / "submissions") as fresh,
    ):
        assert relations(facts) == relations(fresh)


def test_killed_in_a_cold_load_costs_time_alone(tmp_path: Path) -> None:
    write_imports(tmp_path / "submissions", 70)
    code = "import sys; from pathlib import Path; from scoring.facts.read import read_facts\nprint(flush=True)\n"
    code += "read_facts(Path(sys.argv[1]), cache=Path(sys.argv[2]))"
    for wait in (0.05, 0.3, 0.7):
        command = [sys.executable, "-c", code, str(tmp_path / "submissions"), str(tmp_path / "cache")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=COMMITTED.parent)
        assert process.stdout
        process.stdout.readline()
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
    with (
        read_facts(tmp_path / "submissions", cache=tmp_path / "cache") as facts,
        read_facts(tmp_path / "submissions") as fresh,
    ):
        assert facts.rejections == ()
        assert relations(facts) == relations(fresh)
        assert facts.sha256 == fresh.sha256

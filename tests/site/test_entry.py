"""An entry's page says what happened step by step, and makes sense whatever is missing."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.schema.episode import Attempt, Episode, Verdict
from harness.schema.run import RunManifest
from harness.schema.task import load_tasks
from scoring.conduct import Conduct
from scoring.leaderboard import Cost, Flag, Leaderboard, Row
from scoring.load import Loaded
from scoring.publish.build import site_sources
from scoring.publish.cells import outcome
from scoring.publish.content import Content
from scoring.publish.episodes import MAX_HANDED, by_kind, deciles, gap, happened
from scoring.publish.evidence import PUBLIC, addressed
from scoring.publish.flagged import flag_said
from scoring.publish.formats import duration
from scoring.publish.local import Local, durations, opened
from scoring.publish.mix import bands
from scoring.publish.progress import best_so_far, progress
from scoring.publish.table import CODES
from scoring.publish.templates import environment
from scoring.publish.texts import StepFiles, Texts
from scoring.publish.tops import TOP, leading, shown
from tests.site.fixture import KEY, PAYLOAD, TRACE, board, bundle, leaderboard, loaded, part, row, step_lines, tasks


def content(records: Leaderboard, **more: object) -> Content:
    env = environment(site_sources() / "site" / "templates")
    return Content(records, load_tasks(), {}, env, **more)  # type: ignore[arg-type]


def page(records: Leaderboard, name: str, found: Loaded | None = None, texts: Texts | None = None) -> str:
    """The page's slots as one text."""
    made = content(records)
    one = next(one for one in made.entries() if one.row.id == name)
    return unescape(" ".join((made.head(one) | made.body(one, texts or Texts(), found)).values()))


def words(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def only(*rows: Row) -> Leaderboard:
    baseline = row(len(rows), "Baseline", "baseline")
    shown_board = board((*rows, baseline))
    return leaderboard().model_copy(update={"boards": (shown_board,), "ledger": ()})


def episode(**changes: object) -> Episode:
    return bundle().episodes[0].model_copy(update=changes)


def test_every_fault_is_linked_to_its_step_and_the_step_is_there() -> None:
    (one,) = happened(bundle().episodes, {})
    assert [(fault.link, fault.id, fault.step) for fault in one.faults] == [
        ("house-price.0.step-4", "house-price.0.step-4", 4),
        ("house-price.0.step-7", "house-price.0.step-7", 7),
    ]
    html = page(leaderboard(), "entry-3", loaded()["entry-3"])
    for fault in one.faults:
        assert html.count(f"href=#{fault.link}>") == 1
        assert html.count(f"id={fault.link}>") == 1
    assert f"<p>{TRACE}<" in html


def test_a_fault_beyond_the_attempts_that_are_listed_has_its_place_too() -> None:
    attempts = [Attempt(index=at, step=1 + at % 6, kind="validate") for at in range(MAX_HANDED)]
    attempts.append(Attempt(index=MAX_HANDED, step=7, kind="validate", refused="no such file"))
    (one,) = happened([episode(attempts=tuple(attempts), exit_status="success")], {})
    assert [(fault.link, fault.why) for fault in one.faults] == [("house-price.0.step-7", "no such file")]
    assert one.handed[-1] == ("7:none", "house-price.0.step-7")
    assert one.ended_at == ""


def test_two_faults_at_one_step_have_one_anchor_and_none_lies_beyond_the_steps() -> None:
    void = Verdict(split="validation", invalid="no", grader_version="1.0.0", duration_s=1)
    attempts = (
        Attempt(index=0, step=4, kind="validate", validation=void),
        Attempt(index=1, step=4, kind="validate", refused="x"),
        Attempt(index=2, step=99, kind="validate", refused="beyond"),
    )
    (one,) = happened([episode(attempts=attempts, exit_status="max_steps")], {})
    assert [fault.id for fault in one.faults] == ["house-price.0.step-4", "", ""]
    assert [fault.link for fault in one.faults][-1] == "house-price.0"
    assert [(kind, len(found)) for kind, found in by_kind([one])] == [("validated without a value", 3)]


def test_how_an_episode_ended_is_said_once_when_its_last_attempt_was_the_fault() -> None:
    last = Attempt(index=0, step=7, kind="submit", refused="no such file")
    (one,) = happened([episode(attempts=(last,), exit_status="evaluation_error", exit_detail=None)], {})
    assert [(fault.what, fault.why) for fault in one.faults] == [("no valid artifact handed in", "no such file")]


def test_the_gap_is_that_of_an_artifact_that_was_both_validated_and_handed_in() -> None:
    cell = row(0, "ada").cells[0]
    told = Verdict(split="validation", metrics={cell.metric: 0.25}, grader_version="1.0.0", duration_s=1)
    first = Attempt(index=0, step=2, kind="validate", artifact_sha256="a" * 64, validation=told)
    last = Attempt(index=1, step=7, kind="submit", artifact_sha256="a" * 64)
    final = cell.last.seeds[0]
    assert final is not None
    one = episode(task=cell.task, attempts=(first, last))
    assert gap([one], cell) == final - 0.25
    assert gap([episode(task=cell.task, attempts=(first, last), seed=1)], cell) is None, "seed 1 has no value"
    other = last.model_copy(update={"artifact_sha256": "b" * 64})
    assert gap([episode(task=cell.task, attempts=(first, other))], cell) is None, "it was told of another"
    assert gap([episode(task=cell.task, attempts=())], cell) is None


def test_deciles_are_those_of_the_public_table() -> None:
    """Step s of n lies in tenth floor(10 (s - 1) / n) + 1, as columns.toml says."""
    found = deciles(["E" * 5 + "U" * 5, "", None, "P"])
    assert found is not None and found.steps == 11
    groups = dict(found.groups)
    assert groups["edits"] == (1, 1, 1, 1, 1, 0, 0, 0, 0, 0)
    assert groups["hands in"] == (0, 0, 0, 0, 0, 1, 1, 1, 1, 1)
    assert groups["runs"] == (1, *[0] * 9)
    assert deciles([None, ""]) is None


def test_columns_are_filled_or_as_high_as_their_count() -> None:
    counts = [("a", (2, 0)), ("b", (2, 1))]
    assert [band.path for band in bands(counts)] == ["M0 100V50H1V100H2z", "M0 100V0H2V100z"]
    assert bands(counts, filled=False)[1].path == "M0 100V0H1V75H2V100z"
    assert [band.percents for band in bands(counts)] == [(50, 0), (50, 100)]


def test_a_tasks_row_says_once_how_submission_and_best_attempt_came_out_alike() -> None:
    html = page(leaderboard(), "entry-3", loaded()["entry-3"])
    found = next(one for one in content(leaderboard()).entries() if one.row.id == "entry-3")
    lines = html.split("<tbody>")[1].split("</table>")[0].split("<tr")[1:]
    assert len(lines) == len(found.row.cells)
    for line, cell in zip(lines, found.row.cells, strict=True):
        last, best = (CODES[outcome(found.row, cell, column)] for column in ("last", "best"))
        if last == best:
            assert line.startswith(f" class={last}>") and "<td class=" not in line
        else:
            assert line.startswith(">") and f"<td class={last}>" in line and f"<td class={best}>" in line


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.44, "0.4 s"), (48.2, "48 s"), (192, "3.2 min"), (2112, "35 min"), (5400, "1.5 h")]
)
def test_a_duration_has_two_digits(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_part_is_asked_where_it_lies_and_nowhere_else() -> None:
    html = page(leaderboard(), "entry-3", loaded()["entry-3"])
    assert f'<dt>house-price<dd><a href="{PAYLOAD}"' in html
    assert " https://payload.example" in html  # the one host that the page's policy lets it ask
    own = Loaded(bundle(location=None), "1" * 64)
    beside = page(leaderboard(), "entry-3", own, Texts(frozenset({"house-price.tar.zst"})))
    assert 'href="../submissions/entry-3/house-price.tar.zst"' in beside
    assert "https://payload.example" not in beside
    nowhere = page(leaderboard(), "entry-3", Loaded(bundle(location=None), "1" * 64))
    assert "href=" not in nowhere.split("<dt>house-price<dd>")[1].split("</dl>")[0]


def test_what_the_addresses_of_all_parts_begin_with_is_said_once() -> None:
    one = bundle()
    at, other = PAYLOAD.rpartition("/")[0], one.episodes[0].model_copy(update={"task": "mnli"})
    parts = [
        one.payload[0],
        one.payload[0].model_copy(update={"name": "mnli.tar.zst", "location": f"{at}/mnli.tar.zst"}),
    ]
    both = one.model_copy(update={"episodes": (*one.episodes, other), "payload": tuple(parts)})
    html = page(leaderboard(), "entry-3", Loaded(both, "1" * 64))
    listed = html.split('data-at="')[1].split("</dl>")[0]
    assert listed.startswith(f'{at}/"><dt>house-price<dd>') and "<dt>mnli<dd>" in listed and "href=" not in listed
    assert f"<code>{at}/<part>.tar.zst</code>" in html
    assert " https://payload.example" in html
    elsewhere = parts[1].model_copy(update={"location": "https://other.example/mnli.tar.zst"})
    html = page(leaderboard(), "entry-3", Loaded(both.model_copy(update={"payload": (parts[0], elsewhere)}), "1" * 64))
    assert "data-at" not in html and html.count('.tar.zst">') == 2


def test_the_numbers_of_a_flag_stand_under_a_head_that_says_what_they_are() -> None:
    def said(kind: str, words: str) -> str:
        return flag_said(Flag(entry="a", flag=kind, task="mnli", seed=2, value=1.0, against=1.0, words=words))

    assert said("claim-differs", "claimed 0.5, regraded 0.25: 0.25 apart, 0 allowed") == "2: 0.5, 0.25"
    assert said("claim-differs", "claimed 0.5, regraded 0.25: 0.25 apart, 0.01 allowed") == "2: 0.5, 0.25; 0.01"
    assert said("claim-differs", "claimed 1.38346, regraded 1.38151: 0.00195 apart, 0 allowed") == "2: 1.383, 1.382"
    assert said("claim-differs", "claimed 1.38346, regraded 1.38342: 4e-05 apart, 0 allowed") == "2: 1.3835, 1.3834"
    close = "claimed 0.5, regraded 0.5: 1e-09 apart, 0 allowed"
    assert said("claim-differs", close) == f"2: {close}", "numbers that look the same would say nothing"
    far = "1.2 on the sealed split, 1.1 on validation: 0.1 apart, 0.05 is allowed"
    assert said("far-from-validation", f"{far} (4 combined standard errors)") == "2: 1.2, 1.1; 0.05"
    assert said("far-from-validation", f"{far} (a tenth)") == "2: 1.2, 1.1; 0.05 (a tenth)"
    assert (
        said("trivial-score", "0.1 is what this scores: noise (0.1)") == "seed 2: 0.1 is what this scores: noise (0.1)"
    )


def test_a_part_in_a_public_folder_of_entries_is_asked_there() -> None:
    made = content(leaderboard(), place=PUBLIC)
    one = next(one for one in made.entries() if one.row.id == "entry-3")
    own = Loaded(bundle(location=None), "1" * 64)
    body = made.body(one, Texts(frozenset({"house-price.tar.zst"})), own)
    at = "https://raw.example/owner/board/commit/submissions"
    slots = addressed(body, at)
    assert f'<dt>house-price<dd><a href="{at}/entry-3/house-price.tar.zst"' in slots["entry-provenance"]
    assert slots["entry-hosts"] == " https://raw.example", "a policy's path would have to be the file's own"
    assert f'<a href="{at}/entry-3/bundle.json">' in slots["entry-provenance"], "which names the digests"
    assert own.bundle.payload[0].sha256 not in slots["entry-provenance"]
    assert not any("slot--evidence" in slot for slot in slots.values())


def test_seconds_and_exit_codes_come_from_parts_that_are_what_the_bundle_names(tmp_path: Path) -> None:
    folder = tmp_path / "entry-3"
    folder.mkdir()
    (tmp_path / "out").mkdir()
    found = bundle(location=None)
    steps = StepFiles(tmp_path)
    assert steps.write(tmp_path / "out", "entry-3", found).times is None, "the part cannot be had"
    (folder / "house-price.tar.zst").write_bytes(part())
    name = steps.write(tmp_path / "out", "entry-3", found).times
    assert name is not None
    assert json.loads((tmp_path / "out" / name).read_text()) == {
        "house-price.0": [[1.5] * 7, [None, None, 1, None, None, None, None]]
    }
    (folder / "house-price.tar.zst").write_bytes(part()[:-1] + b"x")
    assert steps.write(tmp_path / "out", "entry-3", found).times is None, "other bytes"
    (folder / "house-price.tar.zst").unlink()
    (folder / "house-price.tar.zst").symlink_to(tmp_path / "out")
    assert steps.write(tmp_path / "out", "entry-3", found).times is None, "a link"


@pytest.mark.parametrize("text", [b"", b"nonsense\n", b"[]\n", b'{"duration_s": "x"}\n', b'{"duration_s": 1}'])
def test_damaged_steps_have_no_seconds(text: bytes) -> None:
    assert durations(text, 5)[0] in ([], [None])


def test_a_run_folder_is_shown_without_being_packed(tmp_path: Path) -> None:
    run, made = tmp_path / "mine", bundle()
    place = run / KEY
    place.mkdir(parents=True)
    (place / "episode.json").write_bytes(made.episodes[0].canonical())
    (place / "steps.jsonl").write_bytes(step_lines())
    manifest = RunManifest(
        schema_version=1, run="mine", agent="tester", agent_version="1", profile="official", sandbox="local",
        tasks=("house-price",), seeds=(0, 1), images={}, tasks_sha256={}, harness_version="0.1.0",
        hardware=made.hardware, created=made.created,
    )  # fmt: skip
    (run / "run.json").write_bytes(manifest.canonical())
    before = sorted(tmp_path.rglob("*"))
    with opened(run) as local:
        assert Loaded(made, "").bundle.episodes[0] == made.episodes[0]
        assert dict(local.texts()) == {KEY: step_lines()}
        assert json.loads(local.bundle.read_bytes())["entry"]["id"] == "mine"
    assert sorted(tmp_path.rglob("*")) == before
    (place / "episode.json").unlink()
    with pytest.raises(UsageError, match="no episode that has ended"), opened(run):
        pass


def test_a_bundle_folder_gives_the_texts_of_its_parts(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_bytes(bundle(location=None).canonical())
    assert dict(Local(tmp_path).texts()) == {}
    (tmp_path / "house-price.tar.zst").write_bytes(part())
    assert dict(Local(tmp_path).texts()) == {KEY: step_lines()}


# What is missing, one thing at a time.


def test_an_empty_board() -> None:
    empty = content(Leaderboard(data_sha256="0" * 64, data_date="2026-11-01", boards=()))
    assert "No episode is on a board yet." in empty.failures_page()["failures"]
    assert "No board shows this task yet." in empty.task("house-price")["scores"]
    assert "The ledger holds no line yet" in empty.ledger()["ledger"]
    assert list(empty.entries()) == []


def test_one_entry() -> None:
    records = only(row(0, "ada"))
    made = content(records, conduct={"published": Conduct({}, {}, {}, {})})
    assert "ada" in words(made.failures_page()["failures"])
    assert "fails least often" not in words(made.failures_page()["failures"]), "than whom?"
    assert "ada" in words(made.task("house-price")["scores"])
    assert "Its episodes are not known here." in page(records, "entry-0")


def test_an_entry_without_a_cost() -> None:
    cost = Cost(usd_per_episode=None, source="unknown", words="no price is known")
    text = words(page(only(row(0, "ada").model_copy(update={"cost": cost})), "entry-0"))
    assert "Cost per episode N/A" in text
    assert "$0" not in text


def failed() -> Row:
    cells = []
    for cell in row(0, "ada").cells:
        score = cell.last.model_copy(update={"value": None, "mean": None, "stderr": None, "seeds": (None,) * 4})
        score = score.model_copy(update={"feasible": False, "beats_baseline": None})
        exits = {"evaluation_error": 4}
        cells.append(cell.model_copy(update={"last": score, "best": score, "valid_episodes": 0, "exits": exits}))
    more = {"cells": tuple(cells), "exits": {"evaluation_error": 52}, "failed": 52, "valid_episodes": 0, "actions": {}}
    return row(0, "ada").model_copy(update=more)


def test_every_task_failed() -> None:
    records = only(failed())
    made = content(records, conduct={"published": Conduct({}, {}, {}, {})})
    text = words(page(records, "entry-0"))
    assert "Valid episodes 0 /52" in text
    assert "52 of 52 episodes ended without any score (100%)." in words(made.failures_page()["failures"])
    task = words(made.task("house-price")["scores"])
    assert "4 of 4 episodes have no score at all." in task
    assert "nan" not in (text + task).lower().split()


def test_a_name_of_300_characters() -> None:
    name = "x" * 300
    records = only(row(0, "ada").model_copy(update={"label": name}))
    made = content(records, conduct={"published": Conduct({}, {}, {}, {})})
    for html in (page(records, "entry-0"), made.failures_page()["failures"], made.task("house-price")["scores"]):
        assert name in html


def test_an_entry_that_the_ledger_removed_says_so_and_shows_no_value(hostile_site: Path) -> None:
    html = (hostile_site / "entries" / "gone.html").read_text(encoding="utf-8")
    text = words(html)
    assert "Removed on 2026-11-07" in text and "../ledger/0.html#line-6" in html
    assert text.count("Nothing is shown") == 4 and "AUP," not in text
    ledger = (hostile_site / "ledger.html").read_text(encoding="utf-8")
    assert "href=entries/gone.html>" in ledger


# Task pages.


def test_a_large_board_shows_the_leading_ten_and_the_spread_of_all() -> None:
    names = [row(number % 5, f"agent {number}") for number in range(14)]
    rows = [one.model_copy(update={"id": f"entry-{number}"}) for number, one in enumerate(names)]
    records = only(*rows)
    html = content(records).task("house-price")["scores"]
    assert len(shown(records.boards[0], 0)) == TOP + 1
    assert "The leading 10" in html and "4 more entries are in" in html
    assert "all 14 entries" in html and 'class="gb-spread"' in html


def test_leading_follows_the_direction_of_the_task() -> None:
    rows = tuple(row(number, f"agent {number}") for number in range(4))
    shown_board = board((*rows, row(9, "Baseline", "baseline")))
    for place, task in enumerate(shown_board.tasks):
        values = [one.cells[place].last.value or 0.0 for one in leading(shown_board, place, 9)]
        assert values == sorted(values, reverse=task.direction == "max")


def test_best_so_far_is_the_median_of_each_seeds_best() -> None:
    upwards = next(task for task in tasks() if task.direction == "max")
    seeds = {0: [(2, 1.0), (5, 0.5)], 1: [(3, 2.0)], 2: [(9, 9.0)]}
    assert best_so_far(seeds, upwards) == [(2, 1.0), (3, 1.5), (5, 1.5), (9, 2.0)]
    downwards = upwards.model_copy(update={"direction": "min"})
    assert best_so_far(seeds, downwards) == [(2, 1.0), (3, 1.5), (5, 1.25), (9, 2.0)]
    assert best_so_far({}, upwards) == []


def test_progress_is_drawn_of_who_was_told_something() -> None:
    records = only(row(0, "ada"), row(1, "bell"))
    assert progress(records.boards[0], 0, {}) is None
    assert progress(records.boards[0], 0, {"house-price": {"entry-1": {0: [(10, 1.0)], 1: [(10, 2.0)]}}}) is None
    drawn = progress(records.boards[0], 0, {"house-price": {"entry-1": {0: [(10, 1.0), (20, 3.0)]}}})
    assert drawn is not None
    (line,) = drawn.lines
    assert (line.label, line.first, line.last) == ("bell", 10, 3.0)
    assert line.path.startswith("M50 ") and line.path.endswith("H100")
    assert drawn.title == "bell ended best by what validate told: 3.000"

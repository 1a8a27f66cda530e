"""An episode away from its run's folder: what the desk has is enough to go on, and who was given up adds nothing to it.

No cluster: the desk is asked by plain calls.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import Abandoned, EpisodeOver, RunSpent, SandboxError, UsageError, VerificationError
from harness.executors.away import away
from harness.executors.copies import NEEDED_TO_GO_ON, Change, Sender, apply, files, packed, unpack
from harness.executors.desk import Desk
from harness.executors.retold import MOST_BYTES
from harness.files import replace_file
from harness.runner.locks import LOCKS, episode_lock
from harness.runner.phases import BESIDE
from harness.runs.held import episode_held
from harness.telemetry.event import event
from harness.telemetry.lines import EventLog, read_events

KEY, OTHER, CARD = "house-price/seed-0", "house-price/seed-1", "card"
SHA256, TIME = "0" * 64, "2026-01-01T00:00:00Z"


class Asked:
    """A way to the desk that counts."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self.asked = desk, list[str]()

    def __call__(self, method: str, *words: Any) -> Any:
        self.asked.append(method)
        return getattr(self._desk, method)(*words)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_bytes(b"{}")
    return folder


def desk_of(run: Path, limit_usd: float | None = None) -> Desk:
    return Desk(run, limit_usd, run.with_name("log.jsonl"), dict.fromkeys((KEY, OTHER), CARD))


def tree(folder: Path) -> dict[str, bytes]:
    return {name: file.read_bytes() for name, file in files(folder) if not name.startswith(LOCKS)}


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        handle.write(text)


def test_a_machine_is_lost_and_another_goes_on(run: Path) -> None:
    desk = desk_of(run)
    with pytest.raises(KeyboardInterrupt), away(Asked(desk), KEY, CARD) as first:
        mine = first.folder / KEY
        write(mine / "calls.jsonl", "answer 1\n")
        first.kept()
        write(mine / "attempts/0/submission.csv", "id,x\n")
        first.kept()
        write(mine / "steps.jsonl", "step 1\n")
        first.kept()
        write(mine / "calls.jsonl", "answer 2\n")
        first.kept()
        before, scratch = tree(mine), first.folder
        raise KeyboardInterrupt
    assert not scratch.exists() and tree(run / KEY) == before
    with away(Asked(desk), KEY, CARD) as second:
        assert tree(second.folder / KEY) == before, "it goes on from there"
        write(second.folder / KEY / "steps.jsonl", "step 2\n")
        second.kept()
        write(second.folder / KEY / "workspace.patch", "patch")
        write(second.folder / KEY / "episode.json", "{}")
    assert tree(run / KEY) == {
        **before,
        "steps.jsonl": b"step 1\nstep 2\n",
        "workspace.patch": b"patch",
        "episode.json": b"{}",
    }


def test_only_what_is_new_is_sent(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    write(folder / "calls.jsonl", "one\n")
    write(folder / "attempts/0/a.bin", "x" * 1000)
    sender = Sender(folder)
    assert sender.changes(*NEEDED_TO_GO_ON) == [] and sender.rest() == {}
    write(folder / "calls.jsonl", "two\n")
    write(folder / "notes.duckdb", "?")
    assert sender.changes(*NEEDED_TO_GO_ON) == [Change("calls.jsonl", 4, b"two\n")]
    assert sender.changes(*NEEDED_TO_GO_ON) == []
    assert set(sender.rest()) == {"notes.duckdb"}, "what nobody needs to go on waits for the end"
    (folder / "steps.jsonl").write_text("1\n2\n")
    assert sender.changes(*NEEDED_TO_GO_ON) == [Change("steps.jsonl", 0, b"1\n2\n")]
    (folder / "steps.jsonl").rename(folder / "steps.jsonl.unfinished-1")
    replace_file(folder / "steps.jsonl", b"1\n")
    names = {change.name: change for change in sender.changes(*NEEDED_TO_GO_ON)}
    assert names["steps.jsonl"] == Change("steps.jsonl", 0, b"1\n"), "another file of that name goes whole"
    assert names["steps.jsonl.unfinished-1"].data == b"1\n2\n"


def test_what_was_never_paid_is_begun_anew(run: Path) -> None:
    """Steps without a journal: nothing was paid, they are put aside and not mingled with."""
    write(run / KEY / "steps.jsonl", "step 1 of a dead worker\n")
    with away(Asked(desk_of(run)), KEY, CARD) as here:
        assert tree(here.folder / KEY) == {}
        write(here.folder / KEY / "steps.jsonl", "step 1\n")
        write(here.folder / KEY / "episode.json", "{}")
    assert tree(run / KEY) == {"steps.jsonl": b"step 1\n", "episode.json": b"{}"}
    assert tree(run / f"{KEY}.unfinished-1") == {"steps.jsonl": b"step 1 of a dead worker\n"}


def test_who_was_given_up_writes_and_spends_nothing_more(run: Path) -> None:
    desk = desk_of(run, 1.0)
    with pytest.raises(Abandoned, match="begun again elsewhere"), away(Asked(desk), KEY, CARD) as lost:
        write(lost.folder / KEY / "calls.jsonl", "paid\n")
        lost.kept()
        open_ = lost.books.reserve(KEY, 0.1, 1.0, TIME, SHA256)
        with away(Asked(desk), KEY, CARD) as found:
            assert [line.id for line in found.books.left_open(KEY)] == [open_]
            write(lost.folder / KEY / "calls.jsonl", "late\n")
            for act in (
                lost.kept,
                lambda: lost.books.reserve(KEY, 0.1, 1.0, TIME, SHA256),
                lambda: lost.books.settle(open_, 0.0, TIME, SHA256),
            ):
                with pytest.raises(Abandoned):
                    act()
            write(found.folder / KEY / "episode.json", "{}")
        write(lost.folder / KEY / "episode.json", "false")
    assert tree(run / KEY) == {"calls.jsonl": b"paid\n", "episode.json": b"{}"}


def told(folder: Path, *steps: int) -> None:
    """Events of an episode that plays in `folder`."""
    log = EventLog(folder / BESIDE)
    for step in steps:
        log(event("step", 0.0, 1.0, {}, run="r", episode=KEY, step=step))
    log.close()


def logged(run: Path) -> list[int | None]:
    return [one.step for one in read_events(run.with_name("log.jsonl"))]


@pytest.mark.parametrize("paid", [True, False])
def test_what_is_told_far_away_is_in_the_log_once_while_it_goes(run: Path, paid: bool) -> None:
    """Also what a machine told that was lost, whether or not another goes on from what it left."""
    desk = desk_of(run)
    with pytest.raises(KeyboardInterrupt), away(Asked(desk), KEY, CARD) as first:
        mine = first.folder / KEY
        write(mine / "calls.jsonl", "answer\n" if paid else "")
        told(mine, 1, 2)
        (first.kept if paid else first.told)()
        assert logged(run) == [1, 2], "before it has ended"
        assert [one.step for one in read_events(run / KEY / BESIDE)] == [1, 2]
        told(mine, 3)
        raise KeyboardInterrupt
    with away(Asked(desk), KEY, CARD) as second:
        told(second.folder / KEY, 4)
        second.told()
        second.told()
        told(second.folder / KEY, 5)
        write(second.folder / KEY / "episode.json", "{}")
    assert logged(run) == [1, 2, 4, 5], "what the lost machine alone had is lost"
    assert [one.step for one in read_events(run / KEY / BESIDE)] == logged(run)


def test_the_log_takes_so_much_of_an_episode_and_whole_lines_alone(run: Path) -> None:
    """No program floods the run's log; the episode's own file keeps everything."""
    desk = desk_of(run)
    with away(Asked(desk), KEY, CARD) as here:
        beside = here.folder / KEY / BESIDE
        told(here.folder / KEY, 1)
        line = beside.read_text()
        write(beside, line[:20])
        here.told()
        assert logged(run) == [1]
        write(beside, line[20:] + "no event\n" + line)
        here.told()
        assert logged(run) == [1, 1, 1]
        write(beside, line * (MOST_BYTES // len(line) + 1))
        write(here.folder / KEY / "episode.json", "{}")
    log = run.with_name("log.jsonl").stat().st_size
    assert MOST_BYTES - 2 * len(line) < log <= MOST_BYTES < (run / KEY / BESIDE).stat().st_size
    with away(Asked(desk), OTHER, CARD) as other:
        told(other.folder / "house-price/seed-1", 7)
    assert logged(run)[-1] == 7


def test_an_episode_far_away_is_held_here_until_it_ends(run: Path) -> None:
    """Nobody plays it beside: no process with the run's folder, no desk of another driver."""
    with away(Asked(desk_of(run)), KEY, CARD) as here:
        assert episode_held(run, KEY)
        with pytest.raises(UsageError, match="another process plays"), episode_lock(run, KEY, wait_s=0.0):
            pass
        write(here.folder / KEY / "episode.json", "{}")
    assert not episode_held(run, KEY)


def test_who_was_given_up_far_away_leaves_it_to_one_in_the_folder(run: Path) -> None:
    desk = desk_of(run)
    with pytest.raises(Abandoned), away(Asked(desk), KEY, CARD) as lost:
        write(lost.folder / KEY / "calls.jsonl", "paid\n")
        assert desk.near(KEY, CARD).kind == ""
        with episode_lock(run, KEY, wait_s=0.0), pytest.raises(Abandoned):
            lost.kept()
        write(lost.folder / KEY / "episode.json", "false")
    assert not (run / KEY).exists() and not episode_held(run, KEY)


def test_a_finished_episode_is_not_played_again(run: Path) -> None:
    write(run / KEY / "episode.json", "{}")
    asked = Asked(desk_of(run))
    with away(asked, KEY, CARD) as here:
        assert tree(here.folder / KEY) == {"episode.json": b"{}"}
    assert asked.asked == ["begin"]


def test_limits_are_those_of_the_one_ledger(run: Path) -> None:
    desk = desk_of(run, 0.5)
    with away(Asked(desk), KEY, CARD) as one, away(Asked(desk), OTHER, CARD) as two:
        one.books.reserve(KEY, 0.3, 0.4, TIME, SHA256)
        with pytest.raises(RunSpent, match="run's"):
            two.books.reserve("house-price/seed-1", 0.3, 0.4, TIME, SHA256)
        with pytest.raises(EpisodeOver, match="episode's") as over:
            one.books.reserve(KEY, 0.2, 0.4, TIME, SHA256)
        assert not isinstance(over.value, RunSpent) and over.value.status == "cost"
        assert two.books.spent_usd() == pytest.approx(0.3)
        one.books.hold("m", 30.0)
        assert two.books.held_s("m") > 20


@pytest.mark.parametrize("name", ["../run.json", "/etc/passwd", "a/../../b", "", "a\\b", "x" * 300])
def test_no_name_leads_out_of_the_episode(run: Path, name: str) -> None:
    desk = desk_of(run)
    life = desk.begin(KEY, CARD).value.life
    answer = desk.put(KEY, life, [Change(name, 0, b"evil")])
    assert answer.kind == "error" and "no name of an episode's file" in answer.refused
    assert tree(run) == {"run.json": b"{}"}


def test_lines_are_not_written_behind_others(run: Path) -> None:
    write(run / KEY / "calls.jsonl", "one\n")
    with pytest.raises(VerificationError, match="go on from 9"):
        apply(run / KEY, Change("calls.jsonl", 9, b"three\n"))
    assert tree(run / KEY) == {"calls.jsonl": b"one\n"}


def test_a_torn_archive_finishes_nothing(run: Path, tmp_path: Path) -> None:
    members = {}
    for name in ("a.patch", "episode.json", "z.json"):
        members[name] = tmp_path / name
        members[name].write_bytes(name.encode() * 50_000)
    archive = packed(members)
    desk = desk_of(run)
    life = desk.begin(KEY, CARD).value.life
    for torn in (
        archive[:-20],
        archive[: len(archive) // 2] + b"\0" + archive[len(archive) // 2 + 1 :],
        b"",
        archive * 2,
    ):
        assert desk.finish(KEY, life, torn).kind == "error"
        assert not (run / KEY / "episode.json").exists()
    assert desk.finish(KEY, life, archive).kind == ""
    assert (run / KEY / "episode.json").read_bytes() == members["episode.json"].read_bytes()
    unpack(archive, tmp_path / "again")
    assert set(tree(tmp_path / "again")) == set(members)


def test_a_desk_that_cannot_write_says_so(run: Path) -> None:
    with pytest.raises(SandboxError, match="house-price"), away(Asked(desk_of(run)), KEY, CARD) as here:
        (run / "house-price").write_text("a file where the folder should be")
        write(here.folder / KEY / "calls.jsonl", "paid\n")
        here.kept()

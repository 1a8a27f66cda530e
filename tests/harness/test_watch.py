"""`gymboard watch`: what a reader sees, in a terminal and in a pipe, and what hostile text cannot do to either."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from harness.errors import UsageError
from harness.importers.published import Published
from harness.importers.traj import PublishedEpisode, TrajStep
from harness.schema.episode import Usage
from harness.watch import Player

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Published("claude-3-5-sonnet", "three-sat", 0, 1, "0" * 64)
HOSTILE = "\x1b]0;owned\x07\x1b[2Jtext [bold]kept[/bold] :smile: [/nothing]\u202e"


def a_step(number: int, action: str, seconds: float | None = None) -> TrajStep:
    scores = None if seconds is None else {"Time": seconds}
    return TrajStep(number=number, thought=HOSTILE, action=action, observation=HOSTILE, duration_s=0.1, scores=scores)


def an_episode(baseline: dict[str, float] | None) -> PublishedEpisode:
    steps = (a_step(1, "ls"), a_step(2, "validate", 20.0), a_step(3, "validate", 12.5), a_step(4, "validate", 12.5))
    usage = Usage(input_tokens=1000, output_tokens=10, api_calls=4, reported_cost_usd=0.25)
    return PublishedEpisode(
        steps=steps, baseline=baseline, final={"Time": 12.5}, exit_status="sub\x1b[Hmitted", usage=usage
    )


def shown(baseline: dict[str, float] | None = None, *, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)
    Player(SOURCE, an_episode(baseline), console).play(delay_s=0)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_hostile_text_is_shown_as_text(terminal: bool) -> None:
    out = shown({"Time": 16.0}, terminal=terminal)
    assert "text [bold]kept[/bold] :smile: [/nothing]" in out
    assert "submitted" in out
    assert not {"\x1b]", "\x1b[2J", "\x07", "\u202e", "owned"} & {
        out[i : i + n] for n in (1, 2, 4, 5) for i in range(len(out))
    }


def test_a_pipe_gets_no_escape_and_no_box() -> None:
    assert not set("\x1b\u2502\u256d") & set(shown({"Time": 16.0}, terminal=False))


def test_scores_stand_beside_the_baseline_in_the_metrics_own_direction() -> None:
    out = shown({"Time": 16.0}, terminal=False)
    assert "validation score 20: 4 worse than the baseline's 16\n" in out
    assert out.count("validation score 12.5: 3.5 better than the baseline's 16, the best so far") == 1
    assert "handed in: Time 12.5" in out
    assert "cost: $0.250, as the run itself reported it" in out


def test_a_baseline_under_another_key_is_not_compared() -> None:
    out = shown({"Reward": 1.0}, terminal=False)
    assert "validation score 20 (no baseline published under this key)" in out
    assert "baseline's" not in out


def test_a_step_that_is_not_there_is_named() -> None:
    player = Player(SOURCE, an_episode(None), Console(file=io.StringIO()))
    with pytest.raises(UsageError, match="has steps 1 to 4, not 5"):
        player.only(5)


def command(home: Path, data: Path, *words: str) -> subprocess.Popen[str]:
    code = "import typer; from harness.cli.watch import watch; typer.run(watch)"
    environ = {**os.environ, "GYMBOARD_HOME": str(home), "GYMBOARD_DATA_MIRROR": str(data), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.data
def test_the_published_episode_end_to_end(tmp_path: Path, real_data: Path) -> None:
    out, err = (process := command(tmp_path, real_data, "--delay", "0")).communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert [out.count(f"--- step {n} of 15 ") for n in range(1, 16)] == [1] * 15
    scores = [line for line in out.splitlines() if line.startswith("validation score")]
    assert scores[0] == "validation score 2.314: 0.05756 worse than the baseline's 2.372"
    assert scores[-1] == "validation score 2.567: 0.1952 better than the baseline's 2.372, the best so far"
    assert "handed in: Score 2.563" in out and "106,739 in, 4,297 out, 15 calls" in out


@pytest.mark.data
def test_ctrl_c_stops_cleanly(tmp_path: Path, real_data: Path) -> None:
    process = command(tmp_path, real_data, "--delay", "60")
    assert process.stdout is not None
    while "--- step 1 of" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err.strip()) == (130, "stopped")

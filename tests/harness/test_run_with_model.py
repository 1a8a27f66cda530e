"""`gymboard run --model`: wrong calls end before anything is made, the bill is the server's, Ctrl-C leaves a way on."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.cli.live import Board
from harness.errors import UsageError
from harness.executors.model_words import ModelWords
from harness.llm.meter import Models
from harness.runner.progress import Progress
from harness.schema.prices import Price
from tests.servers.answers import Call, Say, tool
from tests.servers.models import Asked, model_server

ROOT = Path(__file__).resolve().parents[2]
AGENT = "tests.servers.asker:Asker"
PRICE = Price(models=("m",), since="2026-01-01", input_usd=3.0, output_usd=15.0, source="test")
PLAY = [tool("bash", command="cp baseline.py strategy.py"), tool("validate"), tool("submit")]


def words(*more: str, folder: Path) -> list[str]:
    run = ["run", "--agent", AGENT, "--tasks", "colonel-blotto", "--profile", "smoke", "--sandbox", "local"]
    return [sys.executable, "-m", "gymboard", *run, "--seeds", "1", "--runs", str(folder), "--run", "asked", *more]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")} | {
        "PYTHONPATH": str(ROOT)
    }


def gymboard(*more: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words(*more, folder=folder), env=environment(), cwd=ROOT, capture_output=True, text=True, check=False
    )


def chosen(agent: str, folder: Path, **words: Any) -> Models | None:
    """What `gymboard run` makes of its words about a model."""
    names = ("name", "api_base", "key_env", "price", "run_cost_usd", "episode_cost_usd")
    return ModelWords(**{name: words.get(name) for name in names}).models(agent, folder)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "nonsense"}, "provider/model"),
        ({"name": "openai/gpt-4o"}, "OPENAI_API_KEY"),
        ({"name": "openai/gpt-4o", "key_env": "MY_KEY"}, "MY_KEY"),
        ({"name": "openai/unheard-of", "api_base": "http://127.0.0.1:1"}, "--price INPUT,OUTPUT"),
        ({"name": "openai/gpt-4", "api_base": "http://127.0.0.1:1"}, "did you mean openai/gpt-4o"),
        ({"name": "openai/gpt-4o", "price": "3"}, "two to four numbers"),
        ({"name": "openai/gpt-4o", "price": "3,nan"}, "is no price"),
        ({"name": "openai/gpt-4o", "price": "-3,1"}, "is no price"),
        ({"run_cost_usd": 5.0}, "name one"),
    ],
)
def test_wrong_words_are_refused(
    given: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match=said):
        chosen("react", tmp_path, **given)
    with pytest.raises(UsageError, match="asks no language model"):
        chosen("tuner", tmp_path, name="openai/gpt-4o")


def test_a_wrong_call_makes_nothing(tmp_path: Path) -> None:
    ended = gymboard("--model", "openai/gpt-4o", folder=tmp_path)
    assert (ended.returncode, "OPENAI_API_KEY" in ended.stderr) == (2, True), ended.stderr
    assert "Traceback" not in ended.stderr and list(tmp_path.iterdir()) == []


def script(asked: Asked) -> Say:
    return PLAY[min(sum(message["role"] == "assistant" for message in asked.messages), 2)]


def test_a_run_is_estimated_logged_and_billed(tmp_path: Path) -> None:
    with model_server(script) as server:
        model = ["--model", "openai/m", "--api-base", server.openai, "--price", "3,15", "--cost-limit", "1"]
        ended = gymboard(*model, "--plain", folder=tmp_path)
        assert ended.returncode == 0, ended.stderr
        cost = server.cost_usd(PRICE)
    assert "1 episode(s) with openai/m: $0.80 to $1.00" in ended.stderr and "the limits allow $1.00" in ended.stderr
    assert "colonel-blotto/seed-0 step 1/50 validate" in ended.stderr, "a line a step"
    episode = json.loads((tmp_path / "asked" / "colonel-blotto" / "seed-0" / "episode.json").read_text())
    assert episode["exit_status"] == "success"
    assert episode["usage"]["reported_cost_usd"] == pytest.approx(cost, abs=1e-12)
    assert json.loads((tmp_path / "asked" / "run.json").read_text())["model"] == "openai/m"


def test_the_question_is_asked_once_and_no_is_no(tmp_path: Path) -> None:
    with model_server(script) as server:
        ours, theirs = pty.openpty()
        model = ["--model", "openai/m", "--api-base", server.openai, "--price", "3,15"]
        call, env = words(*model, folder=tmp_path), environment()
        child = subprocess.Popen(call, env=env, cwd=ROOT, stdin=theirs, stderr=theirs)
        os.close(theirs)
        shown = b""
        while b"Go on?" not in shown:
            shown += os.read(ours, 4096)
        os.write(ours, b"n\n")
        assert child.wait(60) != 0
        os.close(ours)
        assert server.asked == [] and not (tmp_path / "asked" / "run.json").exists()


def test_interrupted_it_says_how_to_go_on_and_goes_on(tmp_path: Path) -> None:
    slow = [*PLAY[:1], Say(calls=(Call("bash", {"command": "true"}),), delay_s=30.0)]
    with model_server(slow) as server:
        model = ["--model", "openai/m", "--api-base", server.openai, "--price", "3,15"]
        child = subprocess.Popen(
            words(*model, folder=tmp_path), env=environment(), cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        while len(server.asked) < 2 and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=120)
        assert child.returncode == 130 and "--resume" in said, said
        server.script = script
        port = server.openai
        again = gymboard("--model", "openai/m", "--api-base", port, "--price", "3,15", "--resume", folder=tmp_path)
        assert again.returncode == 0, again.stderr
        firsts = [asked for asked in server.asked if len(asked.messages) == 1]
        assert len(firsts) == 1, "what was answered is not asked again"
    episode = json.loads((tmp_path / "asked" / "colonel-blotto" / "seed-0" / "episode.json").read_text())
    assert (episode["exit_status"], episode["steps"]) == ("success", 3)
    assert episode["usage"]["reported_cost_usd"] >= server.cost_usd(PRICE) - 1e-9


def test_a_spent_run_leaves_the_rest_unbegun(tmp_path: Path) -> None:
    with model_server(script) as server:
        model = ["--model", "openai/m", "--api-base", server.openai, "--price", "3,15"]
        ended = gymboard(*model, "--cost-limit", "0.001", folder=tmp_path)
        assert (ended.returncode, server.asked) == (1, [])
        assert "run's $0.001" in ended.stderr and "--resume" in ended.stderr
        more = gymboard(*model, "--cost-limit", "1", "--resume", folder=tmp_path)
        assert more.returncode == 0, more.stderr


def test_the_live_table_shows_steps_score_spend_and_time() -> None:
    """The name of a tool, which is the model's own text, cannot paint on the terminal."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=120, color_system=None)
    board = Board(4, console, "live", spent_usd=lambda: 1.25, limit_usd=20.0)
    board.watch(Progress("colonel-blotto/seed-0", "\x1b[31mbash", 7, 50, 60.0, 3660.0, 0.25, 0.5))
    console.print(board)
    text = shown.getvalue()
    for word in ("0/4 episodes", "$1.2500 of $20", "colonel-blotto/seed-0", "7/50", "0.25", "$0.5000"):
        assert word in text, word
    assert "1:00:00" in text or "0:59:59" in text
    assert "\x1b[31m" not in text

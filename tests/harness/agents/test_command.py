"""`gymboard run --agent react` as a person calls it: over HTTP to a model of her own, and with words that lack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gymboard
from harness.agents.react.settings import load_settings
from harness.schema.run import RunManifest
from harness.schema.trajectory import Trajectory
from tests.servers.answers import Say
from tests.servers.models import Asked, model_server

ROOT = Path(__file__).resolve().parents[3]
ANSWERS = ("I copy it.\n```bash\ncp baseline.py strategy.py\n```", "```validate\n```", "```submit\n```")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gymboard", "run", "--agent", "react", "--tasks", "colonel-blotto", *words]
    command += ["--profile", "smoke", "--seeds", "1", "--sandbox", "local"]
    env = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_model_without_tool_calls_plays_by_the_text_protocol(tmp_path: Path) -> None:
    def script(asked: Asked) -> Say:
        return Say(ANSWERS[sum(message["role"] == "assistant" for message in asked.messages)])

    file = tmp_path / "agent.toml"
    file.write_text('guidance = "Copy, validate, submit."\n')
    with model_server(script) as server:
        words = ["--model", "openai/scripted", "--api-base", server.openai, "--price", "3,15", "--yes", "--json"]
        done = run(*words, "--agent-file", str(file), "--runs", str(tmp_path), "--run", "mine")
        assert done.returncode == 0, done.stderr
        (episode,) = json.loads(done.stdout)["episodes"]
        assert (episode["exit_status"], episode["trace"]) == ("success", "BAU")
        billed = sum(one.usage.input_tokens * 3 + one.usage.output_tokens * 15 for one in server.bill) / 1e6
        assert episode["usage"]["reported_cost_usd"] == pytest.approx(billed)
        system = server.asked[0].messages[0]["content"]
        assert "Copy, validate, submit." in system
    told = Trajectory.from_json((tmp_path / "mine" / "colonel-blotto" / "seed-0" / "trajectory.json").read_bytes())
    assert (told.steps[0].source, told.steps[0].message) == ("system", system)
    exported = CliRunner().invoke(gymboard.app, ["export", str(tmp_path / "mine"), "--out", str(tmp_path / "a.jsonl")])
    assert exported.exit_code == 0, exported.output
    (row,) = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert [message["role"] for message in row["messages"]][:4] == ["system", "user", "assistant", "tool"]
    assert row["messages"][0]["content"] == system and len(row["rewards"]) == row["steps"]
    manifest = RunManifest.from_json((tmp_path / "mine" / "run.json").read_bytes())
    assert manifest.model == "openai/scripted" and "text protocol" in manifest.agent_version
    assert manifest.declares == (f"settings sha256:{load_settings(file).sha256}",)


def test_what_lacks_is_said_before_anything_is_made(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("windw = 3\n")
    mine = ["--model", "openai/scripted", "--api-base", "http://127.0.0.1:9/v1", "--price", "0,0"]
    for words, said in (
        ([], "--agent react needs --model"),
        ([*mine, "--agent-file", str(file)], "windw"),
        ([*mine, "--agent-file", str(tmp_path / "none.toml")], "none.toml"),
        (["--agent", "nop", "--agent-name", "mine"], "--agent-name are for --agent command"),
        (["--agent", "command", "--cmd", "true", "--agent-name", "Tuner"], "an agent of Gymboard's own"),
        (["--agent", "command", "--cmd", "true", "--agent-name", "two\nlines"], "must be one line"),
        (["--agent", "nop", "--agent-file", str(file)], "--agent-file is for react and for a class of your own"),
    ):
        done = run(*words, "--runs", str(tmp_path / "runs"))
        assert done.returncode in (1, 2) and said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_program_has_the_name_that_it_is_given(tmp_path: Path) -> None:
    words = ["--cmd", "cp baseline.py strategy.py && submit", "--agent-name", "My coder 2", "--json"]
    done = run("--agent", "command", *words, "--runs", str(tmp_path))
    assert done.returncode == 0, done.stderr
    manifest = RunManifest.from_json((tmp_path / "my-coder-2-smoke" / "run.json").read_bytes())
    assert (manifest.agent, manifest.declares) == ("My coder 2", ("command",))
    told = json.loads((tmp_path / "my-coder-2-smoke" / "colonel-blotto" / "seed-0" / "trajectory.json").read_text())
    assert told["agent"]["name"] == "My coder 2"

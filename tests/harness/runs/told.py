"""Runs of the command itself, with a scripted model, and what they tell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.servers.answers import Say, tool
from tests.servers.models import Asked

ROOT = Path(__file__).resolve().parents[3]
TASK = "colonel-blotto"
PLAY = [tool("bash", command="cp baseline.py strategy.py"), tool("validate"), tool("submit")]
SECRET = "correct-horse-battery-staple"
WHERE = ["--tasks", TASK, "--profile", "smoke", "--sandbox", "local", "--run", "told", "--json"]
NOTHING = ["run", "--agent", "nop", "--seeds", "1", *WHERE]
"""A run without a model, and without anything to grade."""


def script(asked: Asked) -> Say:
    """Copies the baseline, validates, submits."""
    return PLAY[min(sum(message["role"] == "assistant" for message in asked.messages), 2)]


def gymboard(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, in a folder of its own."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TRACEPARENT"))}
    env = keep | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | variables
    call = [sys.executable, "-m", "gymboard", *words]
    return subprocess.run(call, env=env, cwd=cwd, capture_output=True, text=True, check=False)


def run_words(url: str, *more: str, seeds: int = 1) -> list[str]:
    """A smoke run called `told` that asks the model at `url`, whose key is in MY_WORD."""
    model = ["--model", "openai/m", "--api-base", url, "--price", "3,15", "--key-env", "MY_WORD"]
    return ["run", "--agent", "tests.servers.asker:Asker", "--seeds", str(seeds), *WHERE, *model, *more]

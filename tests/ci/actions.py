"""Runs the steps of a workflow's job on this machine: shell steps as they stand, the few actions by what they do.

Takes the parsed YAML, the values of its expressions and a folder, gives the step that failed, if one did. Knows exactly
the actions, conditions and expressions that our workflows use; anything else is an error of the test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
STANDINS = Path(__file__).parent / "standins"
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


def workflow(name: str) -> dict[str, Any]:
    """One parsed file of .github/workflows."""
    return dict(yaml.safe_load((ROOT / ".github/workflows" / f"{name}.yml").read_text()))


@dataclass
class Machine:
    """A runner: a workspace, the repository it checks out, and artifacts kept between jobs."""

    workspace: Path
    origin: Path
    values: dict[str, str]
    env: dict[str, str]
    artifacts: Path
    commit: str = "main"
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""

    def run(self, job: dict[str, Any]) -> str | None:
        """Every step in order; the name of the first that failed, as GitHub would show it."""
        self.workspace.mkdir(parents=True)
        (self.workspace.parent / f"{self.workspace.name}-temp").mkdir()
        failed: str | None = None
        for step in job["steps"]:
            if not self._wanted(step.get("if"), failed):
                continue
            good = self._use(step) if "uses" in step else self._shell(step)
            if not good and failed is None and not step.get("continue-on-error"):
                failed = str(step.get("name") or step.get("run") or step["uses"])
        return failed

    @property
    def temp(self) -> Path:
        return self.workspace.parent / f"{self.workspace.name}-temp"

    def value(self, text: str) -> str:
        return _EXPRESSION.sub(lambda match: self.values[match[1]], text)

    def _wanted(self, condition: str | None, failed: str | None) -> bool:
        if condition == "${{ !cancelled() }}":
            return True
        if failed is not None:
            return False
        if condition is None:
            return True
        match = re.fullmatch(r"steps\.(\w+)\.outputs\.(\w+) != '(\w*)'", condition)
        assert match, condition
        return self.outputs[f"{match[1]}.{match[2]}"] != match[3]

    def _use(self, step: dict[str, Any]) -> bool:
        action, given = step["uses"].partition("@")[0], step.get("with", {})
        if action == "actions/setup-python":
            return True
        if action == "actions/checkout":
            assert given["persist-credentials"] is False
            place = self.workspace / given.get("path", ".")
            ref = given.get("ref", self.commit)
            self._git("clone", "--quiet", "--no-checkout", str(self.origin), str(place))
            self._git("-C", str(place), "checkout", "--quiet", "--detach", f"origin/{ref}")
            return True
        if action == "actions/upload-pages-artifact":
            given = {"name": "pages", **given}
            action = "actions/upload-artifact"
        kept = self.artifacts / given["name"]
        place = self.workspace / self.value(given["path"])
        source, target = (place, kept) if action == "actions/upload-artifact" else (kept, place)
        assert action in ("actions/upload-artifact", "actions/download-artifact"), action
        if not source.is_dir():
            return action == "actions/upload-artifact"
        shutil.copytree(source, target, dirs_exist_ok=True)
        return True

    def _git(self, *words: str) -> None:
        subprocess.run(["git", *words], check=True, capture_output=True)

    def _shell(self, step: dict[str, Any]) -> bool:
        assert "${{" not in step["run"], "no expression is interpolated into a shell"
        said = self.temp / "outputs"
        said.write_text("")
        env = {**os.environ, **self.env, "RUNNER_TEMP": str(self.temp), "GITHUB_OUTPUT": str(said)}
        env |= {"GITHUB_ACTIONS": "true", "PATH": f"{STANDINS}:{os.environ['PATH']}"}
        env |= {name: self.value(str(value)) for name, value in step.get("env", {}).items()}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=self.workspace, env=env, capture_output=True, text=True, timeout=900)
        self.log += f"$ {step['run']}\n{done.stdout}{done.stderr}"
        for line in said.read_text().splitlines():
            name, _, value = line.partition("=")
            self.outputs[f"{step['id']}.{name}"] = value
        return done.returncode == 0

"""`gymboard demo`: the whole line on this machine, each step by the very command that a submitter types."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import SandboxChoice, SandboxKind

ENTRY = "demo-baseline"


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo works; its own content is replaced.")] = Path(
        "build/demo"
    ),
    sandbox: SandboxKind = SandboxChoice.auto,
    out: Annotated[Path, typer.Option(help="Where the site is built.")] = Path("public"),
) -> None:
    """Run, pack, sign, verify, regrade, rank and publish the baseline agent in the smoke profile.

    Example: gymboard demo

    Exit codes: 0 every step ended well, 1 one did not (its own message says which).
    """
    from harness.cli.images import ensure
    from harness.sandbox import open_engine
    from harness.schema.task import load_tasks
    from harness.signing import make_demo_key

    with open_engine(sandbox.value) as engine:
        kind = engine.kind
    begun = time.monotonic()
    _step("first, what is published", ["site", "build", "--out", str(out)])
    typer.echo(f"open {(out / 'index.html').resolve()} while the rest is made")
    for family in sorted({task.image for task in load_tasks().values()}):
        ensure(family, kind)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    key = make_demo_key(folder)
    runs, entry, signers = folder / "runs", folder / ENTRY, folder / "allowed_signers"
    signers.write_text(f"local {key.with_suffix('.pub').read_text()}")
    steps = [
        [
            "run",
            "--tasks",
            "all",
            "--profile",
            "smoke",
            "--seeds",
            "1",
            "--sandbox",
            kind,
            "--runs",
            str(runs),
            "--run",
            "demo",
        ],
        ["pack", str(runs / "demo"), str(entry), "--id", ENTRY, "--submitter", "local"],
        ["sign", str(entry), "--key", str(key)],
        ["verify", str(entry), "--signers", str(signers)],
        ["check", str(entry)],
        ["regrade", str(entry), "--sandbox", kind, "--signers", str(signers)],
        ["site", "build", "--out", str(out), "--local", str(entry)],
        ["rank", "--reading", "live", "--with", str(entry)],
    ]
    for number, words in enumerate(steps, start=1):
        _step(f"[{number}/{len(steps)}]", words)
    level = "signed and regraded" if kind == "docker" else "signed (a local sandbox proves no more than that)"
    typer.secho(f"\ndone in {time.monotonic() - begun:.0f} s: the entry is {level}; smoke is never ranked", bold=True)
    typer.echo(f"open {(out / 'index.html').resolve()}")


def _step(place: str, words: list[str]) -> None:
    """Print and run one command; its failure is the demo's."""
    typer.secho(f"\n{place} gymboard {' '.join(words)}", fg="cyan", bold=True)
    here = Path(__file__).resolve().parents[2]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(here), os.environ.get("PYTHONPATH")]))}
    ended = subprocess.run([sys.executable, "-m", "gymboard", *words], env=env, check=False)
    if ended.returncode != 0:
        typer.secho(
            f"the demo stopped: gymboard {words[0]} ended with exit code {ended.returncode}", fg="red", err=True
        )
        raise typer.Exit(1)

"""`gymboard watch`: a published episode in the terminal, without a key and without an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT = "claude-3-5-sonnet/prisoners-dilemma"


def watch(
    episode: Annotated[str, typer.Argument(metavar="MODEL/TASK", help="Which published episode.")] = DEFAULT,
    seed: Annotated[int, typer.Option(min=0, help="Which of its runs.")] = 1,
    step: Annotated[int | None, typer.Option(help="Show only this step.")] = None,
    delay: Annotated[float, typer.Option(min=0, max=60, help="Seconds after each step.")] = 1.0,
    full: Annotated[bool, typer.Option("--full", help="Show long texts whole.")] = False,
    mirror: Annotated[
        Path | None,
        typer.Option(envvar="GYMBOARD_DATA_MIRROR", help="Folder with the archive of MLGym's trajectories."),
    ] = None,
) -> None:
    """Replay an episode that MLGym published, step by step: thought, action, observation, score. Runs nothing.

    Exit codes: 0 shown, 1 the recording cannot be had whole, 2 no such episode or step, 130 stopped with Ctrl-C.

    Examples:

      gymboard watch

      gymboard watch claude-3-5-sonnet/colonel-blotto --seed 0 --step 14    (it overwrites its opponent)
    """
    from rich.console import Console

    from harness.importers.published import fetch, find
    from harness.importers.traj import read_traj
    from harness.watch import Player

    wanted = find(episode, seed)
    recording = read_traj(fetch(wanted, mirror), wanted.name)
    player = Player(wanted, recording, Console(soft_wrap=False), full=full)
    try:
        player.play(delay) if step is None else player.only(step)
    except KeyboardInterrupt:
        typer.echo("\nstopped", err=True)
        raise typer.Exit(130) from None

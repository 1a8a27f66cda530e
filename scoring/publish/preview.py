"""From a folder of submissions to a built site. Takes folders, gives the home page's path."""

from __future__ import annotations

import functools
import os
from contextlib import nullcontext
from pathlib import Path

from harness.errors import UsageError
from harness.schema.task import load_tasks
from scoring.build import Built, build, leaderboard
from scoring.conduct import Conduct, conduct
from scoring.export import export
from scoring.leaderboard import Leaderboard
from scoring.load import Bundles
from scoring.publish.build import build_site
from scoring.publish.failures import shown_entries
from scoring.publish.local import opened
from scoring.publish.texts import StepFiles
from scoring.publish.tops import leaders
from scoring.vocabulary import BoardId

PAYLOAD_URL = "GYMBOARD_PAYLOAD_URL"


def build_from(submissions: Path, out: Path, local: Path | None) -> Path:
    """Rank everything under `submissions` and write the site to `out`; `local`: an unpublished bundle or run folder.

    GYMBOARD_PAYLOAD_URL, an https folder, is where the entries' folders can be fetched by a reader's browser.
    """
    with opened(local) if local else nullcontext() as own:
        previews = [own.bundle] if own else []
        steps = StepFiles(submissions, _payload_url(), own)
        with build(submissions, previews=previews) as built:
            records = leaderboard(built)
            bundles = Bundles(submissions, own.bundle if own else None)
            write = functools.partial(export, built)
            found = conducts(built, records)
            tasks = load_tasks()
            return build_site(records, tasks, out, loaded=bundles, tables=write, steps=steps, conduct=found)


def conducts(built: Built, records: Leaderboard) -> dict[BoardId, Conduct]:
    """How agents went about it, for each board that the site shows."""
    boards = [records.board("published", "live"), records.board("season", "season")]
    return {
        board.id: conduct(built.facts.db, board.id, shown_entries(board), leaders(board))
        for board in boards
        if board is not None
    }


def _payload_url() -> str | None:
    given = os.environ.get(PAYLOAD_URL)
    if given and not given.startswith("https://"):
        raise UsageError(f"{PAYLOAD_URL} must be an https address, found {given!r}")
    return given or None

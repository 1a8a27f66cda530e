"""From a folder of submissions to a built site. Takes folders, gives the home page's path."""

from __future__ import annotations

import functools
from contextlib import nullcontext
from pathlib import Path

from harness.schema.task import load_tasks
from scoring.build import Built, build, leaderboard
from scoring.conduct import Conduct, conduct
from scoring.export import export
from scoring.leaderboard import Leaderboard
from scoring.load import Bundles
from scoring.publish.build import build_site
from scoring.publish.evidence import publish_evidence
from scoring.publish.failures import shown_entries
from scoring.publish.kept import key, ranked_by
from scoring.publish.local import Local, opened
from scoring.publish.texts import StepFiles
from scoring.publish.tops import leaders
from scoring.tables import little_memory
from scoring.vocabulary import BoardId


def build_from(submissions: Path, out: Path, local: Path | None, place: str = "") -> Path:
    """Rank everything under `submissions` and write the site to `out`; `local`: an unpublished bundle or run folder;
    `place`: where the very same folder of entries is public."""
    with opened(local) if local else nullcontext() as own:
        previews = [own.bundle] if own else []
        with build(submissions, previews=previews, sparing=True) as built:
            return publish(built, leaderboard(built), submissions, out, own, place)


def publish(
    built: Built, records: Leaderboard, submissions: Path, out: Path, own: Local | None = None, place: str = ""
) -> Path:
    """The site of what was built from `submissions` and of its records, with `own` as its preview."""
    return build_site(
        records,
        load_tasks(),
        out,
        loaded=Bundles(submissions, own.bundle if own else None, built.facts.evidence, built.facts.bundles()),
        tables=functools.partial(export, built),
        evidence=functools.partial(publish_evidence, submissions),
        place=place,
        steps=StepFiles(submissions, own),
        conduct=conducts(built, records),
        made_of=None if built.previews else made_of(built),
        let_go=built.let_go,
    )


def made_of(built: Built) -> bytes:
    """Digest of all that boards and tables depend on: the facts, what was rejected, what replaced bundles had handed
    in, and our code."""
    earlier = built.facts.db.execute("SELECT * FROM earlier ORDER BY ALL").fetchall()
    return key(ranked_by(), built.data_sha256, repr(built.facts.rejections), repr(earlier))


def conducts(built: Built, records: Leaderboard) -> dict[BoardId, Conduct]:
    """How agents went about it, for each board that the site shows."""
    boards = [records.board("published", "live"), records.board("season", "season")]
    with little_memory(built.facts.db):
        return {
            board.id: conduct(built.facts.db, board.id, shown_entries(board), leaders(board))
            for board in boards
            if board is not None
        }

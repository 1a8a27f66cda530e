"""From a folder of submissions to a built site. Takes folders, gives the home page's path."""

from __future__ import annotations

import functools
from pathlib import Path

from harness.schema.task import load_tasks
from scoring.build import build, leaderboard
from scoring.export import export
from scoring.load import Bundles
from scoring.publish.build import build_site
from scoring.publish.evidence import publish_evidence


def build_from(submissions: Path, out: Path, local: Path | None) -> Path:
    """Rank everything under `submissions` and write the site to `out`; `local` is an unpublished bundle folder."""
    bundles = Bundles(submissions, local)
    with build(submissions, previews=[local] if local else []) as built:
        records = leaderboard(built)
        return build_site(
            records,
            load_tasks(),
            out,
            loaded=bundles,
            tables=lambda data: export(built, data),
            evidence=functools.partial(publish_evidence, submissions),
        )

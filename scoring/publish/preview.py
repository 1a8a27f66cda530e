"""From a folder of submissions to a built site, and a look at it on this machine.

Takes folders, gives the home page's path; the server listens on loopback only.
"""

from __future__ import annotations

import functools
import os
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
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
            address=os.environ.get("GYMBOARD_SITE_URL", ""),
        )


def serve_folder(folder: Path, port: int) -> None:
    """Serve `folder` on 127.0.0.1 until Ctrl-C; port 0 takes a free one."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"serving {folder} on http://127.0.0.1:{server.server_port}/  (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()

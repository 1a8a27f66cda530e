"""`gymboard site build | serve`: the board as static files. Heavy imports happen inside the functions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Build the site, or look at it while you work on it.")
Out = Annotated[Path, typer.Option(help="Where the site goes; a former build there is replaced.", file_okay=False)]
Submissions = Annotated[Path, typer.Option(help="The folder of entries.", file_okay=False)]
Local = Annotated[
    Path | None, typer.Option(help="An unpublished run or bundle folder, shown as it would appear, marked unranked.")
]


@app.command()
def build(
    out: Out = Path("public"),
    submissions: Submissions = Path("submissions"),
    local: Local = None,
    evidence: Annotated[
        str,
        typer.Option(
            envvar="GYMBOARD_EVIDENCE_URL",
            metavar="URL",
            help="Where the very same folder of entries is public; without it their signed files are copied.",
        ),
    ] = "",
    check: Annotated[bool, typer.Option("--check", help="Also fail on a broken link or a foreign request.")] = False,
) -> None:
    """Build the site from submissions/, from the evidence, now.

    Example: gymboard site build --check

    Exit codes: 0 built, 1 a link is broken or an entry is unreadable, 2 wrong call.
    """
    from scoring.publish.build import checked
    from scoring.publish.preview import build_from

    page = build_from(submissions, out, local, evidence)
    if check:
        checked(out)
    typer.echo(f"built: {page}")


@app.command()
def serve(
    out: Out = Path("public"),
    submissions: Submissions = Path("submissions"),
    local: Local = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="On loopback only.")] = 8000,
) -> None:
    """Build the site and serve it on this machine; what changes is built again, and open pages reload.

    Watched: the entries, the tasks, site/ and mkdocs.yml. After a change of the code, call it again.

    Example: gymboard site serve --port 8000 --local runs/mine/bundle
    """
    from harness.schema.task import tasks_root
    from scoring.publish.build import site_sources
    from scoring.publish.preview import build_from
    from scoring.publish.serve import serve as serve_folder

    def again() -> None:
        build_from(submissions, out, local)

    root = site_sources()
    own = [local] if local else []
    serve_folder(out, port, [submissions, tasks_root(), root / "site", root / "mkdocs.yml", *own], again)

"""`gymboard images`: the official image families and their local environments."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Build and list the official image families.")


class Target(StrEnum):
    """What is built: the Docker image, or the local sandbox's virtual environment."""

    docker = "docker"
    local = "local"


def built(family: str, kind: str) -> str:
    """The digest of what is built. Raises ImageError when it is not."""
    from harness import images

    if kind == "docker":
        return images.image_id(family)
    images.environment_folder(family)
    return images.environment_digest(family)


def ensure(family: str, kind: str) -> str:
    """Build the family for the engine when it is not there; says so on stderr. Gives its digest."""
    from harness.errors import ImageError

    try:
        return built(family, kind)
    except ImageError:
        typer.echo(f"building {family} for the {kind} sandbox (once) ...", err=True)
        return _build(family, kind, None)


def _build(family: str, kind: str, base: str | None) -> str:
    from harness import images

    def log(line: str) -> None:
        typer.echo(f"  {line}", err=True)

    if kind == "docker":
        return images.build(family, base, log)
    images.environment(family, log)
    return images.environment_digest(family)


@app.command()
def build(
    families: Annotated[list[str] | None, typer.Argument(help="Families; default all.")] = None,
    target: Annotated[Target, typer.Option("--for", help="Docker image or local environment.")] = Target.docker,
    base_image: Annotated[
        str | None, typer.Option(envvar="GYMBOARD_BASE_IMAGE", help="Image to build on; default the Dockerfile's.")
    ] = None,
) -> None:
    """Build image families from tasks/images/; instant when they are there.

    Example: gymboard images build cpu
    """
    from harness import images

    for family in families or images.families():
        typer.echo(f"{family}: {_build(family, target.value, base_image)}")


@app.command(name="list")
def list_images() -> None:
    """The families and the digest of each, where it is built.

    Example: gymboard images list
    """
    from harness import images
    from harness.cli.common import table
    from harness.errors import GymboardError

    rows = []
    for family in images.families():
        for kind in ("docker", "local"):
            try:
                rows.append((family, kind, built(family, kind)))
            except GymboardError as error:
                rows.append((family, kind, f"not built ({error})"))
    table("", ("family", "for", "digest"), rows)

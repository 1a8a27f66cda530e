"""`gymboard images`: the official image families and their local environments."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Build, pull and list the official images.")


Names = Annotated[list[str] | None, typer.Argument(help="Images; default every family, CUDA variants apart.")]


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
    """Build the image of that name for the engine when it is not there; says so on stderr. Gives its digest."""
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
    families: Names = None,
    target: Annotated[Target, typer.Option("--for", help="Docker image or local environment.")] = Target.docker,
    base_image: Annotated[
        str | None, typer.Option(envvar="GYMBOARD_BASE_IMAGE", help="Image to build on; default the Dockerfile's.")
    ] = None,
) -> None:
    """Build images from tasks/images/; instant when they are there. torch-cuda and jax-cuda are for machines with GPUs.

    Examples:

      gymboard images build

      gymboard images build torch-cuda
    """
    from harness import images

    for family in families or images.families():
        typer.echo(f"{family}: {_build(family, target.value, base_image)}")


@app.command()
def pull(families: Names = None) -> None:
    """Fetch the official images by digest from the registry that tasks/images/images.toml names.

    Example: gymboard images pull torch

    Exit codes: 0 all are here, 1 one is not published or cannot be fetched (the message says how to build it).
    """
    from harness import images
    from harness.registry import pull as fetch

    for family in families or images.families():
        typer.echo(f"{family}: {fetch(family, lambda line: typer.echo(f'  {line}', err=True))}")


@app.command(name="list")
def list_images() -> None:
    """The images and the digest of each, where it is built, and of the official one, where it is published.

    Example: gymboard images list
    """
    from harness import images
    from harness.cli.common import table
    from harness.errors import GymboardError
    from harness.registry import published

    rows = []
    for name in images.names():
        for kind in ("docker", "local", "registry"):
            try:
                rows.append((name, kind, published(name)[1].digest if kind == "registry" else built(name, kind)))
            except GymboardError as error:
                rows.append((name, kind, f"not there ({error})"))
    table("", ("image", "for", "digest"), rows)

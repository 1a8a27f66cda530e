"""Official images from the registry that tasks/images/images.toml names, by digest and nothing else.

Takes an image's name, gives its id on this machine, tagged as if it had been built here. Never takes an image whose
Dockerfile or requirements differ from the ones in this checkout, and never one by a tag that somebody can move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.engine import START_WAIT_S, connect
from harness.errors import ImageError
from harness.images import BUILD_COMMAND, Log, image_tag
from harness.schema.images import ImageTable, PublishedImage
from harness.schema.task import tasks_root
from harness.turn import turn

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.images import Image

TABLE = "images.toml"


def image_table() -> ImageTable:
    """The table of this checkout. Raises SchemaError."""
    file = tasks_root() / "images" / TABLE
    return ImageTable.from_toml(file.read_text(encoding="utf-8"), subject=TABLE)


def published(name: str) -> tuple[str, PublishedImage]:
    """The registry and the entry of an image as it is in this checkout. Raises ImageError when there is none."""
    table, tag = image_table(), image_tag(name)
    content = tag.rpartition(":")[2]
    found = next((image for image in table.images if (image.name, image.made_from) == (name, content)), None)
    if table.registry and found:
        return table.registry, found
    others = sorted(image.made_from for image in table.images if image.name == name)
    why = f"it was published only as made from {', '.join(others)}" if others else "none is published yet"
    raise ImageError(f"no official image of {tag}: {why}. Build the same from this checkout: {BUILD_COMMAND} {name}")


def pull(name: str, log: Log) -> str:
    """Fetch the official image and tag it. Gives its id on this machine. Raises ImageError, EngineUnavailable."""
    registry, image = published(name)
    client, tag = connect(START_WAIT_S), image_tag(name)
    with turn(tag, log):
        fetched = _fetched(client, f"{registry}/{name}", image, f"{BUILD_COMMAND} {name}", log)
    fetched.tag(*tag.split(":"))
    return str(fetched.id)


def _fetched(client: DockerClient, repository: str, image: PublishedImage, build: str, log: Log) -> Image:
    from docker.errors import APIError

    reference = f"{repository}@{image.digest}"
    try:
        for line in client.api.pull(repository, tag=image.digest, stream=True, decode=True):
            if line.get("status") in ("Pull complete", "Already exists"):
                log(f"{line.get('id', '')}: {line['status']}")
            if error := line.get("error"):
                raise ImageError(f"{reference} cannot be pulled: {error}; or build it: {build}")
        fetched = client.images.get(reference)
    except APIError as error:
        reason = error.explanation or error
        raise ImageError(f"{reference} cannot be pulled: {reason}; or build it: {build}") from None
    if fetched.id not in (image.image_id, image.digest):  # the containerd store calls an image by its manifest
        raise ImageError(f"{reference} is the image {fetched.id}, but {TABLE} says {image.image_id}; it is not used")
    return fetched

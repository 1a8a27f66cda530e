"""ImageTable: the official images that a registry serves, read from tasks/images/images.toml."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.schema.base import KebabId, Record

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class PublishedImage(Record):
    """One image in the registry. `made_from` is the tag that its Dockerfile and requirements give (harness.images)."""

    name: KebabId
    made_from: str = Field(pattern=r"^[0-9a-f]{12}$")
    digest: Digest = Field(description="of the manifest: what is asked of the registry")
    image_id: Digest = Field(description="of the configuration: what an engine and a bundle call the image")


class ImageTable(Record):
    """Where the official images are; no registry: none is published yet."""

    registry: str | None = Field(
        default=None, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-][a-z0-9]+)*)*$"
    )
    images: tuple[PublishedImage, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.images and self.registry is None:
            raise ValueError("images are listed, so `registry` must say where")
        keys = [(image.name, image.made_from) for image in self.images]
        if len(set(keys)) != len(keys):
            raise ValueError("an image is listed twice for the same content")
        return self

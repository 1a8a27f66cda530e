"""`gymboard images pull`: the official image by digest, or a refusal that says what to do."""

from __future__ import annotations

import io
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import images, registry
from harness.errors import ImageError, SchemaError
from harness.schema.images import ImageTable
from harness.schema.task import tasks_root
from tests.harness.registry import Published, digest_of, serving


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The image table of a copy of tasks/images whose cpu family is made of something that nobody else has."""
    root = tmp_path / "tasks"
    shutil.copytree(tasks_root() / "images", root / "images")
    with (root / "images" / "cpu" / "Dockerfile").open("a") as file:
        file.write(f"# {uuid.uuid4()}\n")
    for module in (images, registry):
        monkeypatch.setattr(module, "tasks_root", lambda: root)
    return root / "images" / registry.TABLE


@pytest.fixture
def image(table: Path) -> Iterator[Published]:
    """A tiny image that the engine no longer has; whatever is pulled is removed."""
    client, content = images.connect(), io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = 16
        tar.addfile(entry, io.BytesIO(uuid.uuid4().bytes))
    name = f"gymboard-test:{uuid.uuid4().hex[:12]}"
    client.api.import_image_from_data(content.getvalue(), repository=name.split(":")[0], tag=name.split(":")[1])
    made = client.images.get(name)
    published = Published(b"".join(made.save()))
    client.images.remove(name)
    yield published
    for found in client.images.list():
        if found.id == published.image_id:
            client.images.remove(found.id, force=True)


def write(table: Path, where: str, image: Published, **changed: str) -> None:
    fields = {"name": "cpu", "made_from": images.image_tag("cpu")[-12:], "digest": image.manifest}
    fields |= {"image_id": image.image_id, **changed}
    lines = [f'registry = "{where}"', "[[images]]", *(f'{name} = "{value}"' for name, value in fields.items())]
    table.write_text("\n".join(lines))


@pytest.mark.docker
def test_what_is_pulled_stands_where_a_build_would(table: Path, image: Published) -> None:
    with pytest.raises(ImageError, match="gymboard images build cpu"):
        images.image_id("cpu")
    said: list[str] = []
    with serving(image) as where:
        write(table, where, image)
        assert registry.pull("cpu", said.append) == image.image_id
    assert images.image_id("cpu") == image.image_id
    assert any("Pull complete" in line for line in said)


@pytest.mark.docker
def test_another_image_than_the_table_says_is_not_used(table: Path, image: Published) -> None:
    with serving(image) as where:
        write(table, where, image, image_id=digest_of(b"another"))
        with pytest.raises(ImageError, match="is not used"):
            registry.pull("cpu", print)
    with pytest.raises(ImageError, match="not on this machine"):
        images.image_id("cpu")


@pytest.mark.docker
@pytest.mark.parametrize("fault", ["unknown digest", "wrong bytes", "no registry"])
def test_a_registry_at_fault_says_how_to_build(table: Path, image: Published, fault: str) -> None:
    with serving(image) as where:
        write(table, where, image)
    if fault == "no registry":
        with pytest.raises(ImageError, match=r"cannot be pulled.*gymboard images build cpu"):
            registry.pull("cpu", print)
        return
    with serving(image) as where:
        if fault == "unknown digest":
            write(table, where, image, digest=digest_of(b"never pushed"))
        else:
            write(table, where, image)
            layer = next(key for key in image.blobs if key not in (image.manifest, image.image_id))
            image.blobs[layer] = image.blobs[layer][:-1] + b"?"
        with pytest.raises(ImageError, match=r"cannot be pulled.*gymboard images build cpu"):
            registry.pull("cpu", print)


def test_nothing_published_is_said_and_so_is_another_content(table: Path) -> None:
    with pytest.raises(ImageError, match=r"none is published yet.*gymboard images build cpu"):
        registry.published("cpu")
    some = "sha256:" + "0" * 64
    entry = f'name = "cpu"\nmade_from = "0123456789ab"\ndigest = "{some}"\nimage_id = "{some}"\n'
    table.write_text(f'registry = "example.org/gymboard"\n[[images]]\n{entry}')
    with pytest.raises(ImageError, match="only as made from 0123456789ab"):
        registry.published("cpu")
    with pytest.raises(ImageError, match="the families of tasks/images are: cpu"):
        registry.published("gpu")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('registry = "https://example.org"', "registry"),
        ('registry = "example.org/../x"', "registry"),
        ('[[images]]\nname = "cpu"\nmade_from = "0123456789ab"\ndigest = "latest"\nimage_id = "x"', "digest"),
    ],
)
def test_the_table_takes_digests_and_a_host_only(text: str, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        ImageTable.from_toml(text)

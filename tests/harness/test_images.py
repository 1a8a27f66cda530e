from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from harness import images
from harness.errors import ImageError
from harness.schema.task import tasks_root


@pytest.fixture
def own_families(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of tasks/images that a test may spoil, and a home of its own."""
    shutil.copytree(tasks_root() / "images", tmp_path / "tasks" / "images")
    monkeypatch.setattr(images, "tasks_root", lambda: tmp_path / "tasks")
    monkeypatch.setenv("GYMBOARD_HOME", str(tmp_path / "home"))
    return tmp_path / "tasks" / "images"


LOCKS = sorted((tasks_root() / "images").glob("*/requirements*.txt"))


def pinned(lock: Path) -> dict[str, str]:
    """Version by name, of the entries that carry hashes."""
    found = re.findall(
        r"^([a-z0-9][a-z0-9._-]*)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", lock.read_text(), re.MULTILINE
    )
    return dict(found)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.parent.name}/{lock.name}")
def test_every_requirement_has_hashes_and_no_index_is_named(lock: Path) -> None:
    text = lock.read_text()
    assert pinned(lock) and len(pinned(lock)) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert "://" not in text and "--index" not in text and "find-links =" not in text


def test_a_cuda_variant_is_its_family_and_what_a_gpu_needs() -> None:
    assert images.names() == ["cpu", "jax", "jax-cuda", "torch", "torch-cuda"]
    for family in ("jax", "torch"):
        folder = tasks_root() / "images" / family
        whole, more = pinned(folder / images.LOCKED), pinned(folder / images.CUDA_LOCKED)
        assert whole.items() <= more.items()
        assert any("nvidia" in name for name in more.keys() - whole.keys())
        assert images.image_tag(family) != images.image_tag(f"{family}-cuda")
        assert images.environment_digest(family) != images.environment_digest(f"{family}-cuda")
    cpu_build = (tasks_root() / "images" / "torch" / images.UNHASHED).read_text()
    assert f"\ntorch=={pinned(tasks_root() / 'images' / 'torch' / images.CUDA_LOCKED)['torch']}+cpu\n" in cpu_build
    with pytest.raises(ImageError, match="no image family 'cpu-cuda'"):
        images.image_tag("cpu-cuda")


def test_the_tag_follows_the_content(own_families: Path) -> None:
    tag, digest = images.image_tag("cpu"), images.environment_digest("cpu")
    with (own_families / "cpu" / "Dockerfile").open("a") as file:
        file.write("# more\n")
    assert images.image_tag("cpu") != tag and images.environment_digest("cpu") == digest
    with (own_families / "cpu" / "requirements.txt").open("a") as file:
        file.write("# more\n")
    assert images.environment_digest("cpu") != digest


def test_what_has_no_hash_is_pinned_by_version_and_counts(own_families: Path) -> None:
    """PyTorch's CPU build alone; another version is another image and another environment."""
    pinned = own_families / "torch" / "unhashed.txt"
    lines = [line for line in pinned.read_text().splitlines() if not line.startswith(("#", "--"))]
    assert lines == ["torch==2.13.0+cpu"]
    tag, digest = images.image_tag("torch"), images.environment_digest("torch")
    pinned.write_text(pinned.read_text().replace("2.13.0", "2.13.1"))
    assert images.image_tag("torch") != tag and images.environment_digest("torch") != digest


def test_an_unknown_family_lists_the_known() -> None:
    with pytest.raises(ImageError, match="the families of tasks/images are: cpu"):
        images.image_tag("gpu")


def test_a_failed_environment_leaves_nothing(own_families: Path, tmp_path: Path) -> None:
    (own_families / "cpu" / "requirements.txt").write_text("nothing @ file:///nonexistent/nothing-1-py3-none-any.whl\n")
    with pytest.raises(ImageError, match="nothing"):
        images.environment("cpu", print)
    assert list((tmp_path / "home" / "environments").iterdir()) == []
    with pytest.raises(ImageError, match="gymboard images build cpu --for local"):
        images.environment_folder("cpu")


@pytest.mark.docker
def test_a_failed_build_says_why_and_leaves_no_container(own_families: Path) -> None:
    (own_families / "cpu" / "Dockerfile").write_text(
        "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN echo here it broke; false\n"
    )
    (own_families / "cpu" / "requirements.txt").write_text("")
    base = images.connect().images.list(filters={"label": images.LABEL})
    if not base:
        pytest.skip("no built family to start from")
    lines: list[str] = []
    with pytest.raises(ImageError, match="does not build"):
        images.build("cpu", str(base[0].id), lines.append)
    assert "here it broke" in lines
    with pytest.raises(ImageError, match="gymboard images build cpu"):
        images.image_id("cpu")

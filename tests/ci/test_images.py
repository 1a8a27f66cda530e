"""images.yml's own scripts on a real engine: what is pushed is what is attested, and a known hole stops both."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.ci.actions import ROOT, workflow
from tests.ci.registry import Registry, serving

pytestmark = pytest.mark.docker
PIP = """#!/bin/sh
echo pip==1.0
echo torch==2.9.0+cpu
"""
APT = """#!/bin/sh
case $* in *upgrade*) cat /updates ;; esac
"""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as found:
        yield found


@pytest.fixture
def image(request: pytest.FixtureRequest) -> Iterator[str]:
    """A tiny image that answers as one of ours would: `updates` are what its apt-get says would be upgraded."""
    from harness.images import image_tag

    engine = docker.from_env()
    tag = f"gymboard/tiny-{os.getpid()}:0123456789ab"
    context = io.BytesIO()
    lines = f"FROM {image_tag('cpu')}\nCOPY pip apt-get /usr/local/sbin/\nCOPY updates /updates\n"
    files = {"Dockerfile": lines, "pip": PIP, "apt-get": APT, "updates": getattr(request, "param", "")}
    with tarfile.open(fileobj=context, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    context.seek(0)
    engine.images.build(fileobj=context, custom_context=True, tag=tag, rm=True, forcerm=True)
    try:
        yield tag
    finally:
        for one in engine.images.get(tag).tags:
            engine.images.remove(one, force=True)


def scripts(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / ".ci", tmp_path / "checkout" / ".ci")
    return tmp_path / "checkout" / ".ci"


def test_what_is_pushed_is_named_by_the_digest_that_the_registry_has(
    tmp_path: Path, registry: Registry, image: str
) -> None:
    engine = docker.from_env()
    small = f"gymboard/small-{os.getpid()}:fedcba987654"
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("file"), io.BytesIO(b""))
    engine.api.import_image_from_data(data.getvalue(), repository=small.partition(":")[0], tag=small.partition(":")[2])
    try:
        words = [scripts(tmp_path) / "push", f"127.0.0.1:{registry.port}/board", tmp_path / "pushed", small]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        name = small.removeprefix("gymboard/")
        digest = hashlib.sha256(registry.manifests[f"board/{name}"]).hexdigest()
        attested = (tmp_path / "pushed" / "digests").read_text()
        assert attested == f"{digest}  127.0.0.1:{registry.port}/board/{name.partition(':')[0]}\n"
        table = tomllib.loads((tmp_path / "pushed" / "images.toml").read_text())
        assert table["images"] == [
            {
                "name": name.partition(":")[0],
                "made_from": "fedcba987654",
                "digest": f"sha256:{digest}",
                "image_id": engine.images.get(small).id,
            }
        ]
    finally:
        for one in engine.images.get(small).tags:
            engine.images.remove(one, force=True)


def scan(tmp_path: Path, registry: Registry, image: str, *, ignore: str = "") -> tuple[int, str]:
    """With pip-audit's own client, asked to ask the advisory service on loopback."""
    place = scripts(tmp_path)
    (place / "scan-ignore").write_text(f"# judged\n{ignore}")
    audit = tmp_path / "pip-audit"
    url = f"http://127.0.0.1:{registry.port}/v1/query"
    audit.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m pip_audit --vulnerability-service osv --osv-url {url} "$@"\n'
    )
    audit.chmod(0o755)
    env = os.environ | {"PIP_AUDIT": str(audit), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run([place / "scan", image], env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_known_hole_in_a_package_is_found_unless_it_was_judged(
    tmp_path: Path, registry: Registry, image: str
) -> None:
    assert scan(tmp_path / "sound", registry, image)[0] == 0
    registry.advisories["torch"] = "PYSEC-2026-1"
    code, out = scan(tmp_path / "found", registry, image)
    assert (code, "PYSEC-2026-1" in out) == (1, True), out
    assert scan(tmp_path / "judged", registry, image, ignore="PYSEC-2026-1 not reachable: no network\n")[0] == 0
    assert scan(tmp_path / "unsaid", registry, image, ignore="PYSEC-2026-1\n")[0] == 2


UPDATES = "Inst libc6 [2.36-9] (2.36-9+deb12u9 Debian-Security:12/stable-security [amd64])\n"


@pytest.mark.parametrize("image", [UPDATES], indirect=True)
def test_a_security_update_that_an_image_lacks_is_found(tmp_path: Path, registry: Registry, image: str) -> None:
    code, out = scan(tmp_path, registry, image)
    assert code == 1 and "libc6" in out and "lacks these security updates" in out


def test_nothing_is_pushed_before_the_scan_nor_attested_before_the_push() -> None:
    steps = [str(step.get("run") or step["uses"]) for step in workflow("images")["jobs"]["push"]["steps"]]
    order = [next(n for n, said in enumerate(steps) if word in said) for word in (".ci/scan", ".ci/push", "/attest-")]
    assert order == sorted(order)

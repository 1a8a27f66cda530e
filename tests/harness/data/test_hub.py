"""Files of a Hugging Face repository through `gymboard data prepare`, from a server in the hub's layout."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.data import hub
from harness.data.download import https_opener
from harness.data.sources import obtain
from harness.errors import DataError
from harness.schema.task import HubFile, Source
from tests.harness.data.server import Server, broken_after, hub_file, in_turn, serve_http, stalls_after, status, whole
from tests.harness.data.tasks import LINES, ROOT, SCRIPT

REVISION = "889765ea1f903759787add96995d81171b632d0c"
PATH = f"/datasets/someone/tokens/resolve/{REVISION}/lines.txt"
DIGEST = hashlib.sha256(LINES).hexdigest()
CDN = f"/cdn/{DIGEST}"
PINNED = f'sha256 = "{DIGEST}"\nsize_bytes = {len(LINES)}'
UNKNOWN = 'unverified = "nobody here held it"'


@pytest.fixture
def server() -> Iterator[Server]:
    if not importlib.util.find_spec("huggingface_hub"):
        pytest.skip("needs huggingface_hub (the extra `data`)")
    with serve_http() as server:
        yield server


def task(folder: Path, digest: str = PINNED) -> Path:
    """A folder of one task whose only source is on the hub."""
    text = (ROOT / "tasks/house-price/task.toml").read_text()
    head, _, rest = text.partition("[[sources]]")
    hub_table = f'{{ repo = "someone/tokens", kind = "dataset", revision = "{REVISION}", path = "lines.txt" }}'
    ours = f'[[sources]]\nname = "lines.txt"\nmirror = "here.txt"\nhub = {hub_table}\n{digest}\n\n'
    made = folder / "tasks" / "house-price"
    (made / "starter").mkdir(parents=True)
    shutil.copytree(ROOT / "tasks/house-price/variants", made / "variants")
    (made / "task.toml").write_text(head + ours + rest[rest.index("[[baselines]]") :])
    (made / "instruction.md").write_text("none\n")
    (made / "data.py").write_text(SCRIPT)
    return made.parent


def environment(folder: Path, server: Server, **more: str) -> dict[str, str]:
    proxies = {name for name in os.environ if name.lower().endswith("_proxy")}
    inherited = {name: value for name, value in os.environ.items() if name not in proxies}
    ours = {"GYMBOARD_HOME": str(folder / "home"), "HF_HOME": str(folder / "hf"), "HF_ENDPOINT": server.url}
    return inherited | ours | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])} | more


def command(folder: Path, *words: str) -> list[str]:
    tasks = str(folder / "tasks")
    return [sys.executable, str(ROOT / "gymboard.py"), "data", "prepare", "house-price", "--tasks-root", tasks, *words]


def prepare(folder: Path, server: Server, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *words), env=environment(folder, server, **more), capture_output=True, text=True, check=False
    )


def prepared(folder: Path) -> bytes:
    [found] = (folder / "home/data/house-price").glob("official-*/agent/inputs.csv")
    return found.read_bytes() + b"\n"


def test_the_token_goes_to_the_hub_and_not_along_with_a_redirect(server: Server, tmp_path: Path) -> None:
    task(tmp_path)
    hub_file(server, PATH, LINES, REVISION)
    ended = prepare(tmp_path, server, HF_TOKEN="hf_secret")
    assert ended.returncode == 0, ended.stderr
    assert prepared(tmp_path) == LINES
    sent = {
        path: headers.get("Authorization") for (path, _), headers in zip(server.requests, server.headers, strict=True)
    }
    assert sent == {PATH: "Bearer hf_secret", CDN: None}
    assert f"lines.txt: {len(LINES):,} of {len(LINES):,} bytes" in ended.stderr, (
        "plain lines where there is no terminal"
    )


def test_a_broken_connection_is_resumed(server: Server, tmp_path: Path) -> None:
    task(tmp_path)
    hub_file(server, PATH, LINES, REVISION, in_turn(broken_after(LINES, 500_000, f'"{DIGEST}"'), whole(LINES)))
    ended = prepare(tmp_path, server)
    assert ended.returncode == 0, ended.stderr
    assert prepared(tmp_path) == LINES
    assert [asked for path, asked in server.requests if path == CDN] == [None, "bytes=500000-"]


@pytest.mark.parametrize("digest", [PINNED, UNKNOWN])
def test_kill_9_in_the_middle_and_the_next_call_goes_on(server: Server, tmp_path: Path, digest: str) -> None:
    task(tmp_path, digest)
    gone = threading.Event()
    hub_file(server, PATH, LINES, REVISION, stalls_after(LINES, 1_000_000, gone))
    first = subprocess.Popen(
        command(tmp_path), env=environment(tmp_path, server), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not any(part.stat().st_size > 900_000 for part in (tmp_path / "home/data/sources").glob("*.partial")):
        assert time.monotonic() < deadline and first.poll() is None
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    gone.set()
    assert not list((tmp_path / "home/data/house-price").glob("official-*[!k]"))
    server.forget()
    hub_file(server, PATH, LINES, REVISION)
    ended = prepare(tmp_path, server)
    assert ended.returncode == 0, ended.stderr
    assert prepared(tmp_path) == LINES
    [asked] = [asked for path, asked in server.requests if path == CDN]
    assert asked, "what the hub says about the digest is enough to go on"
    assert ("notice: lines.txt" in ended.stderr) == (digest == UNKNOWN)


def test_other_bytes_are_refused_before_they_are_fetched(server: Server, tmp_path: Path) -> None:
    task(tmp_path)
    hub_file(server, PATH, LINES[::-1], REVISION)
    ended = prepare(tmp_path, server)
    assert ended.returncode == 1
    assert "someone/tokens on the hub: gives other bytes than the pinned SHA-256" in ended.stderr
    assert server.requests == []
    assert "Traceback" not in ended.stderr


def test_what_the_hub_says_about_a_file_of_unknown_digest_must_hold(server: Server, tmp_path: Path) -> None:
    task(tmp_path, UNKNOWN)
    hub_file(server, PATH, LINES, REVISION, whole(LINES[::-1]))
    ended = prepare(tmp_path, server)
    assert ended.returncode == 1
    assert "gives other bytes than the hub says" in ended.stderr


def test_another_revision_and_no_file_are_named(server: Server, tmp_path: Path) -> None:
    task(tmp_path)
    hub_file(server, PATH, LINES, "0" * 40)
    assert f"answers with revision {'0' * 40}, {REVISION} is pinned" in prepare(tmp_path, server).stderr
    server.answers[PATH] = status(404)
    ended = prepare(tmp_path, server)
    assert "someone/tokens on the hub: the hub does not give it: " in ended.stderr
    assert "pass --mirror FOLDER" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_users_own_cache_serves_offline(server: Server, tmp_path: Path) -> None:
    task(tmp_path)
    ended = prepare(tmp_path, server, "--offline")
    assert "on the hub: not asked: offline" in ended.stderr
    assert "calling again goes on where it stopped" in ended.stderr
    snapshot = tmp_path / "hf/hub/datasets--someone--tokens/snapshots" / REVISION
    snapshot.mkdir(parents=True)
    (snapshot / "lines.txt").write_bytes(LINES)
    ended = prepare(tmp_path, server, "--offline")
    assert ended.returncode == 0, ended.stderr
    assert prepared(tmp_path) == LINES
    assert server.requests == []


def test_without_the_library_the_next_place_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    file = HubFile(repo="someone/tokens", kind="dataset", revision=REVISION, path="lines.txt")
    source = Source(name="lines.txt", mirror="here.txt", hub=file, sha256=DIGEST, size_bytes=len(LINES))
    with pytest.raises(DataError, match=r"pip install 'gymboard\[data\]'"):
        obtain(source, tmp_path, None, https_opener())
    assert hub.cached(file) is None

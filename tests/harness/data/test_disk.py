"""A disk that is really full: a small tmpfs in a mount namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.data.tasks import ROOT

SMALL = [
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-ec",
    'mount -t tmpfs -o size=4m none "$1"; exec "$2" "$3" "$1"',
    "sh",
]


def small_disk(folder: Path, script: str) -> str:
    """What the script prints; its argument is a folder of 4 MiB."""
    (folder / "disk").mkdir()
    probe = subprocess.run([*SMALL, str(folder / "disk"), "true", "-"], capture_output=True, check=False)
    if not shutil.which("unshare") or probe.returncode:
        pytest.skip("no mount namespace can be made here")
    (folder / "script.py").write_text(BEGIN + script)
    ended = subprocess.run(
        [*SMALL, str(folder / "disk"), sys.executable, str(folder / "script.py")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


BEGIN = """
import sys
from pathlib import Path
from harness.data import prepare
from harness.data.sources import obtain
from harness.errors import DataError
from tests.harness.data.server import begin_from, in_turn, serve, whole
from tests.harness.data.tasks import LINES, SCRIPT, small_task, source
disk, base = Path(sys.argv[1]), Path(sys.argv[0]).parent
filler = disk / "filler"

def attempt(call):
    try:
        print("got", call())
    except DataError as error:
        print("refused", " ".join(str(error).split()))
"""


def test_too_little_room_is_seen_before_anything_is_fetched(tmp_path: Path) -> None:
    said = small_disk(
        tmp_path,
        """
(base / "mirror").mkdir()
(base / "mirror" / "here.txt").write_bytes(LINES)
filler.write_bytes(b"x" * 3_000_000)
task = small_task(base / "task", source())
attempt(lambda: prepare(task, base / "task", "official", mirror=base / "mirror", root=disk / "root"))
print(sorted(path.suffix for path in (disk / "root").rglob("*") if path.is_file()))
""",
    )
    assert "refused house-price: its data needs 2,288,890 more bytes in" in said
    assert "are free; free some space or set GYMBOARD_HOME to a folder on a larger disk" in said
    assert said.splitlines()[-1] == "['.lock']"


def test_a_disk_that_fills_up_during_a_download_keeps_what_came(tmp_path: Path) -> None:
    said = small_disk(
        tmp_path,
        """
def fills(handler):
    begin_from(handler, LINES)
    handler.wfile.write(LINES[:1_000_000])
    while not any(part.stat().st_size > 500_000 for part in disk.glob("*.partial")):
        pass
    try:
        filler.write_bytes(b"x" * 4_000_000)
    except OSError:
        pass
    handler.wfile.write(LINES[1_000_000:])

with serve(base) as server:
    server.answers["/file"] = in_turn(fills, whole(LINES))
    pinned = source((server.url + "/file",))
    attempt(lambda: obtain(pinned, disk, None, server.opener))
    filler.unlink()
    attempt(lambda: obtain(pinned, disk, None, server.opener).read_bytes() == LINES)
    print("asked", server.requests[-1][1])
""",
    )
    assert "No space left on device" in said
    assert "free some space there or set GYMBOARD_HOME, and call again: what came is kept" in said
    assert "got True" in said
    assert "asked bytes=" in said


def test_a_disk_that_fills_up_while_data_is_split_leaves_no_folder(tmp_path: Path) -> None:
    said = small_disk(
        tmp_path,
        """
(base / "mirror").mkdir()
(base / "mirror" / "here.txt").write_bytes(LINES)
task = small_task(base / "task", source())
attempt(lambda: prepare(task, base / "task", "official", mirror=base / "mirror", root=disk / "root"))
print(sorted(path.name[:8] for path in (disk / "root" / "house-price").iterdir() if path.suffix != ".lock"))
""",
    )
    assert "refused house-price: the disk of" in said
    assert "is full; free some space there and call again" in said
    assert said.splitlines()[-1] == "[]"

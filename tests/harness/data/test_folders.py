"""Prepared data: built once, whole or not at all, whatever is killed, full or wrong."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.data import Prepared, prepare
from harness.errors import DataError
from harness.schema.digest import folder_sha256
from harness.schema.task import TaskSpec, Twin
from tests.harness.data.tasks import LINES, ROOT, SCRIPT, small_task, source

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "here.txt").write_bytes(LINES)
    return folder


def made(root: Path) -> list[str]:
    """Everything beside locks and stored sources."""
    return sorted(path.name for path in (root / "house-price").glob("*") if path.suffix != ".lock")


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_official_and_smoke(tmp_path: Path, mirror: Path) -> None:
    task = small_task(tmp_path / "task", source())
    official = prepare(task, tmp_path / "task", "official", mirror=mirror, root=tmp_path / "root")
    smoke = prepare(task, tmp_path / "task", "smoke", root=tmp_path / "root")
    assert official is not None
    assert smoke is not None
    assert (official.agent / "inputs.csv").read_bytes() == LINES.rstrip(b"\n")
    assert (official.grader / "labels.csv").read_text() == '{"rows": 3}'
    assert (smoke.agent / "inputs.csv").read_text() == "generated"
    assert official.sha256 != smoke.sha256


def test_a_task_without_data(tmp_path: Path) -> None:
    task = small_task(tmp_path / "task", source())
    (tmp_path / "task" / "data.py").unlink()
    assert prepare(task, tmp_path / "task", "official", root=tmp_path / "root") is None
    assert not (tmp_path / "root").exists()


def test_the_second_call_needs_neither_source_nor_script_run(tmp_path: Path, mirror: Path) -> None:
    task = small_task(tmp_path / "task", source(), SCRIPT + f"\nopen({str(tmp_path / 'runs')!r}, 'a').write('x')\n")
    first = prepare(task, tmp_path / "task", "official", mirror=mirror, root=tmp_path / "root")
    (mirror / "here.txt").unlink()
    for path in (tmp_path / "root" / "sources").iterdir():
        path.unlink()
    assert prepare(task, tmp_path / "task", "official", root=tmp_path / "root") == first
    assert (tmp_path / "runs").read_text() == "x"


def test_the_mirror_of_the_environment(tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYMBOARD_DATA_MIRROR", str(mirror))
    monkeypatch.setenv("GYMBOARD_HOME", str(tmp_path / "home"))
    prepared = prepare(small_task(tmp_path / "task", source()), tmp_path / "task", "official")
    assert prepared is not None
    assert prepared.agent.is_relative_to(tmp_path / "home")


def test_a_changed_script_or_parameter_builds_anew(tmp_path: Path) -> None:
    def digest(script: str, rows: int) -> str:
        task = small_task(tmp_path / "task", source(), script)
        profiles = task.profiles | {"smoke": task.profiles["smoke"].model_copy(update={"params": {"rows": rows}})}
        prepared = prepare(
            task.model_copy(update={"profiles": profiles}), tmp_path / "task", "smoke", root=tmp_path / "root"
        )
        assert prepared is not None
        return prepared.sha256

    assert len({digest(SCRIPT, 1), digest(SCRIPT, 2), digest(SCRIPT + "\n", 1)}) == 3
    assert digest(SCRIPT, 1) == digest(SCRIPT, 1)


def test_the_result_is_read_only_and_the_labels_are_for_their_owner(tmp_path: Path) -> None:
    prepared = prepare(small_task(tmp_path / "task", source()), tmp_path / "task", "smoke", root=tmp_path / "root")
    assert prepared is not None
    modes = {
        path.name: path.stat().st_mode & 0o777 for path in (*prepared.agent.rglob("*"), *prepared.grader.rglob("*"))
    }
    assert modes == {"inputs.csv": 0o444, "labels.csv": 0o400}
    assert prepared.grader.stat().st_mode & 0o777 == 0o500
    assert prepared.agent.stat().st_mode & 0o777 == 0o555
    assert prepared.agent.parent.stat().st_mode & 0o222 == 0


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise SystemExit('the source has 3 columns')", "ended with 1: the source has 3 columns"),
        ("import os; os.kill(os.getpid(), 9)", "ended with -9: it printed nothing"),
        ("pass", "wrote nothing into agent/"),
        (SCRIPT + "\nos.remove(out / 'grader' / 'labels.csv')", "wrote nothing into grader/"),
        (SCRIPT + "\nos.symlink('/etc/passwd', out / 'agent' / 'x')", "agent/x, which is not a regular file"),
        (SCRIPT + "\nos.mkfifo(out / 'grader' / 'x')", "grader/x, which is not a regular file"),
        (SCRIPT + "\nraise ValueError('late')", "late"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_a_script_that_fails_leaves_nothing(tmp_path: Path, script: str, reason: str) -> None:
    task = small_task(tmp_path / "task", source(), script)
    with pytest.raises(DataError, match=reason):
        prepare(task, tmp_path / "task", "smoke", root=tmp_path / "root")
    assert made(tmp_path / "root") == []


def test_a_source_that_cannot_be_had_leaves_nothing(tmp_path: Path, mirror: Path) -> None:
    (mirror / "here.txt").write_bytes(LINES[::-1])
    task = small_task(tmp_path / "task", source())
    with pytest.raises(DataError, match="other bytes than the pinned"):
        prepare(task, tmp_path / "task", "official", mirror=mirror, root=tmp_path / "root")
    assert made(tmp_path / "root") == []
    assert {path.suffix for path in (tmp_path / "root" / "sources").iterdir()} == {".lock"}


def test_the_script_sees_none_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "planted"))
    script = SCRIPT + "\nprint(sorted(os.environ), os.environ, sys.path, file=sys.stderr); sys.exit(3)"
    task = small_task(tmp_path / "task", source(), script)
    with pytest.raises(DataError, match="PATH") as caught:
        prepare(task, tmp_path / "task", "smoke", root=tmp_path / "root")
    said = str(caught.value)
    assert "secret" not in said and "ANTHROPIC" not in said and "planted" not in said


def _prepare_in_child(task: TaskSpec, base: Path, mirror: Path | None) -> None:
    prepare(task, base / "task", "official", mirror=mirror, root=base / "root")


def test_a_disk_that_fills_up(tmp_path: Path, mirror: Path) -> None:
    """A real limit on file size, in a child: first for the copy of the source, then for what data.py writes."""

    def limited(limit: int, outcome: Path) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            _prepare_in_child(task, tmp_path, mirror)
        except DataError as error:
            os.write(os.open(outcome, os.O_CREAT | os.O_WRONLY), str(error).encode()[:900])

    for limit, script, words in (
        (100_000, SCRIPT, "cannot be stored"),
        (3_000_000, SCRIPT + "\n" + GREEDY, "data.py ended"),
    ):
        task = small_task(tmp_path / "task", source(), script)
        child = FORK.Process(target=limited, args=(limit, tmp_path / "outcome"))
        child.start()
        child.join()
        assert words in (tmp_path / "outcome").read_text()
        assert "File too large" in (tmp_path / "outcome").read_text()
        assert made(tmp_path / "root") == []
        (tmp_path / "outcome").unlink()
    assert not list((tmp_path / "root" / "sources").glob("*.copy"))


GREEDY = "(out / 'agent' / 'more').write_bytes(b'x' * 9_000_000)"
SLOW = SCRIPT.replace("(out / \"grader\").mkdir()", "(out / 'grader').mkdir()\nimport time\n"
    "while (pathlib.Path(args.source).parents[3] / 'hold').exists(): time.sleep(0.01)")  # fmt: skip


def test_killed_in_the_middle(tmp_path: Path, mirror: Path) -> None:
    """kill -9 while data.py runs: the next call waits for the orphan, throws its work away and builds anew."""
    assert SLOW != SCRIPT
    task = small_task(tmp_path / "task", source(), SLOW)
    hold = tmp_path / "hold"
    hold.touch()
    child = FORK.Process(target=_prepare_in_child, args=(task, tmp_path, mirror))
    child.start()
    wait_for(lambda: list((tmp_path / "root").glob("house-price/*.building/out/grader")))
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    [left] = (tmp_path / "root").glob("house-price/*.building")
    orphans = left.stat().st_ino

    second = FORK.Process(target=_prepare_in_child, args=(task, tmp_path, mirror))
    second.start()
    second.join(0.5)
    assert left.stat().st_ino == orphans, "nobody may build while the orphaned data.py still writes"
    hold.unlink()
    second.join(60)
    assert second.exitcode == 0
    [only] = made(tmp_path / "root")
    assert only.startswith("official-")
    assert len(only) == len("official-") + 16


def test_many_at_once_build_once(tmp_path: Path, mirror: Path) -> None:
    script = SCRIPT + f"\nopen({str(tmp_path / 'runs')!r}, 'a').write('x')\nimport time\ntime.sleep(0.3)\n"
    task = small_task(tmp_path / "task", source(), script)
    children = [FORK.Process(target=_prepare_in_child, args=(task, tmp_path, mirror)) for _ in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 6
    assert (tmp_path / "runs").read_text() == "x"
    assert len(made(tmp_path / "root")) == 1


def test_a_mirror_may_hold_the_same_content_packed_again(tmp_path: Path) -> None:
    other = LINES[: len(LINES) // 2]
    twin = Twin(sha256=hashlib.sha256(other).hexdigest(), size_bytes=len(other), origin="a package")
    pinned = source().model_copy(update={"twins": (twin,)})
    task = small_task(tmp_path / "task", pinned)
    for name, data in (("twin", other), ("stranger", other[::-1])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "here.txt").write_bytes(data)
    with pytest.raises(DataError, match=r"has .* bytes|other bytes than the pinned"):
        prepare(task, tmp_path / "task", "official", mirror=tmp_path / "stranger", root=tmp_path / "root")
    made_of = prepare(task, tmp_path / "task", "official", mirror=tmp_path / "twin", root=tmp_path / "root")
    assert made_of is not None and (made_of.agent / "inputs.csv").read_text() == other.decode().rstrip("\n")


def test_a_cited_digest_is_called_so_when_the_file_cannot_be_had(tmp_path: Path) -> None:
    pinned = source().model_copy(update={"unverified": "somebody's list"})
    task = small_task(tmp_path / "task", pinned)
    with pytest.raises(DataError, match="Its digest is cited, not verified here: somebody's list"):
        prepare(task, tmp_path / "task", "official", mirror=tmp_path, root=tmp_path / "root")


ORDINARY = """
import sys
from pathlib import Path
from harness.data import prepare
from harness.errors import DataError
from tests.harness.data.tasks import SCRIPT, small_task, source
base = Path(sys.argv[1])
prepare(small_task(base / "task", source()), base / "task", "smoke", root=base / "root")
closed = SCRIPT + "\\n(out / 'agent').chmod(0o555); os.mkfifo(out / 'x')"
try:
    prepare(small_task(base / "bad", source(), closed), base / "bad", "smoke", root=base / "root")
except DataError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root cannot give up its powers here")
def test_an_ordinary_user_can_prepare_and_clean_up(tmp_path: Path) -> None:
    """Root may write where nobody else may, so what renames and removes read-only folders is tried without that."""
    powerless = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*powerless, sys.executable, "-c", ORDINARY, tmp_path],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "which is not a regular file" in done.stdout, done.stderr
    assert [name[:6] for name in made(tmp_path / "root")] == ["smoke-"]


def test_house_price_is_the_same_for_everybody(tmp_path: Path) -> None:
    """Two builds in processes with different hash seeds agree to the byte."""
    script = ROOT / "tasks" / "house-price" / "data.py"
    for seed in ("0", "99"):
        words = [
            "--profile",
            "smoke",
            "--params",
            '{"rows": 40}',
            "--source",
            str(tmp_path),
            "--out",
            str(tmp_path / seed),
        ]
        subprocess.run([sys.executable, script, *words], env=os.environ | {"PYTHONHASHSEED": seed}, check=True)
    assert folder_sha256(tmp_path / "0") == folder_sha256(tmp_path / "99")


def test_prepared_is_where_it_says(tmp_path: Path) -> None:
    prepared = prepare(small_task(tmp_path / "task", source()), tmp_path / "task", "smoke", root=tmp_path / "root")
    assert isinstance(prepared, Prepared)
    assert prepared.agent.parent == prepared.grader.parent
    assert prepared.agent.parent.name == f"smoke-{prepared.sha256[:16]}"

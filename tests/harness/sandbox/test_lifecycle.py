from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from harness import images
from harness.errors import EngineUnavailable, ImageError, SandboxError
from harness.sandbox import open_engine
from harness.sandbox.base import BoxSpec, Engine, ProcessSpec, Sandbox
from harness.sandbox.local import AGENT_UID
from harness.sandbox.owner import is_dead, owner, remove_folder

ROOT = Path(__file__).resolve().parents[3]
SLEEP = f"sleep 97.{os.getpid()}"
"""Nobody else's: another run of these tests may be at work."""
LEAVE = """
import sys, time
from pathlib import Path
from harness.sandbox import open_engine
from harness.sandbox.base import BoxSpec, ProcessSpec
from harness.sandbox.owner import owner
engine = open_engine(sys.argv[1])
box = engine.sandbox(BoxSpec("cpu", Path(sys.argv[2])))
box.exec(f"(setsid {sys.argv[3]} &)", 10)
process = engine.process(ProcessSpec("player", "cpu", sys.argv[3].split(), shared=engine.shared_folder()))
print(owner(), flush=True)
time.sleep(60)
"""


def traces(name: str) -> list[str]:
    """Containers, volumes and folders of an owner."""
    found = [str(path) for path in Path(tempfile.gettempdir()).glob(f"gymboard.{name}*")]
    try:
        client = images.connect()
    except EngineUnavailable:
        return found
    wanted = {"label": f"gymboard.owner={name}"}
    containers = client.containers.list(all=True, filters=wanted, ignore_removed=True)
    return found + [str(x.id) for x in containers] + [str(x.name) for x in client.volumes.list(filters=wanted)]


def gone(*names: str) -> list[str]:
    """What dead owners left, once an engine was opened: another process's engine may be removing it at this moment."""
    deadline = time.monotonic() + 30
    while (left := [trace for name in names for trace in traces(name)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def _sleepers() -> int:
    done = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return sum(line.strip() == SLEEP for line in done.stdout.splitlines())


def test_close_leaves_nothing(engine: Engine, starter: Path) -> None:
    box = engine.sandbox(BoxSpec("cpu", starter))
    box.exec(f"(setsid {SLEEP} &); {SLEEP} & mkdir -p shut/in; chmod 0 shut/in shut", 10)
    engine.process(ProcessSpec("player", "cpu", SLEEP.split(), shared=engine.shared_folder()))
    engine.close()
    assert traces(owner()) == [] and _sleepers() == 0
    engine.close()
    with pytest.raises(SandboxError):
        box.exec("true", 5)
        box.exec("true", 5)


def test_closing_ends_a_command_that_another_thread_runs(engine: Engine, starter: Path) -> None:
    """That thread finds its shell gone and asks for another one, while the place is being closed."""
    ours = _supervisors()
    for number in range(20 if engine.kind == "local" else 5):  # it was the local place that raced
        box = engine.sandbox(BoxSpec("cpu", starter))
        running = threading.Thread(target=_run_to_the_end, args=(box,))
        running.start()
        time.sleep(0.1 + number / 200)
        box.close()
        running.join(30)
        assert not running.is_alive()
        assert traces(owner()) == [] and _supervisors() == ours


def _run_to_the_end(box: Sandbox) -> None:
    with suppress(SandboxError):
        box.exec(SLEEP, 60)


def _supervisors() -> set[int]:
    """Living processes of this process's local places."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if owner().encode() in entry.read_bytes():
                found.add(int(entry.parent.name))
    return found


def test_what_a_killed_owner_left_is_reaped(engine: Engine, starter: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", LEAVE, engine.kind, str(starter), SLEEP], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert child.stdout is not None
    name = child.stdout.readline().strip()
    assert traces(name) and not is_dead(name)
    with open_engine(engine.kind):
        assert traces(name), "a living owner's places were taken"
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(name), "although nobody has waited for it yet"
    time.sleep(1)
    with open_engine(engine.kind):
        assert gone(name) == [] and _sleepers() == 0
    child.wait()


def test_an_owner_of_another_machine_is_never_dead() -> None:
    pid, start, _, namespace = owner().split("-")
    assert not is_dead(f"{pid}-{int(start) + 1}-ffffffff-{namespace}")
    assert is_dead(f"{pid}-{int(start) + 1}-{owner().split('-', 2)[2]}")
    assert not is_dead("nonsense") and not is_dead("")


@pytest.mark.docker
def test_a_mount_that_the_container_cannot_read_is_named(starter: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with open_engine("docker") as engine, pytest.raises(SandboxError, match=r"chmod -R o\+rX"):
        engine.sandbox(BoxSpec("cpu", starter, mounts={"data": closed}))
    assert traces(owner()) == []


def test_no_engine_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(EngineUnavailable, match="Start one"):
        open_engine("docker")
    with open_engine("auto") as engine:
        assert engine.kind == "local"


def test_an_unbuilt_family_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GYMBOARD_HOME", str(tmp_path))
    with open_engine("local") as engine:
        with pytest.raises(ImageError, match="gymboard images build cpu --for local"):
            engine.image_digest("cpu")
        with pytest.raises(ImageError, match="no image family 'gpu'"):
            engine.image_digest("gpu")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_never_runs_a_strangers_code(starter: Path, tmp_path: Path) -> None:
    """Agent, referee and player are three users; of a closed folder they see what they were given, no more."""
    closed = tmp_path / "closed"
    (closed / "given").mkdir(parents=True)
    (closed / "given").chmod(0o755)
    (closed / "given" / "train.csv").write_text("1\n")
    (closed / "kept").write_text("secret")
    closed.chmod(0o700)
    agent = str(AGENT_UID)
    with open_engine("local") as engine:
        with engine.sandbox(BoxSpec("cpu", starter, mounts={"data": closed / "given"})) as box:
            seen = box.exec("id -u; echo y >>baseline.py; touch ../z || echo no; cat $GYMBOARD_DATA/train.csv", 10)
            assert seen.stdout == f"{agent}\nno\n1\n"
            assert box.exec("ls $GYMBOARD_DATA/..", 10).stdout == "given\n"
            box.exec("export KEPT=yes; kill -9 $PPID; kill -9 -1", 10)
            box.write("mine", b"1")
            assert box.exec("rm mine && echo $KEPT", 10).stdout == "yes\n"
        users = {}
        for role in ("referee", "player"):
            process = engine.process(ProcessSpec(role, "cpu", ["/bin/sh", "-c", "id -u"]))  # type: ignore[arg-type]
            users[role] = int(process.read_line(10, 100))
            process.kill()
        assert users == {"referee": AGENT_UID - 1, "player": AGENT_UID - 2}


def test_a_folder_of_any_depth_is_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    deep = "import os\nfor _ in range(3000):\n    os.mkdir('a')\n    os.chdir('a')\nos.chmod('.', 0)\n"
    subprocess.run([sys.executable, "-c", deep], cwd=tree, check=True)
    (tmp_path / "kept").write_text("beside")
    (tree / "link").symlink_to(tmp_path)
    remove_folder(tree)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]

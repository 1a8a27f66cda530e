"""Reproduced: a listed second party's own run, counter-signed and graded by us. All else is refused by its code."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.countersign import NAMESPACE, STATEMENT, STATEMENT_SIGNATURE, countersign, refusals
from harness.errors import UsageError
from harness.schema.base import canonical_bytes
from harness.schema.bundle import Bundle, PayloadPart
from harness.schema.regrade import Regraded, RegradeReport
from harness.schema.task import load_tasks
from harness.signing import NAMESPACE as BUNDLE_NAMESPACE
from harness.signing import make_demo_key
from scoring.facts.read import read_facts
from scoring.ledger import LEDGER, read_ledger
from scoring.reproduce import Sample, reproduce, shortfalls
from scoring.revocation import revoke
from tests.scoring.builder import (
    NOW,
    Values,
    artifact,
    decide,
    everywhere,
    include,
    regrade,
    run_bundle,
    verdict,
    write_entry,
)

LAB = "github:77"
VALUES: dict[str, list[list[float]]] = {"house-price": [[0.90], [0.92], [0.91], [0.89]]}
CLOSE: dict[str, list[list[float]]] = {"house-price": [[0.88], [0.91], [0.90], [0.90]]}
WORSE: dict[str, list[list[float]]] = {"house-price": [[0.70], [0.72], [0.71], [0.69]]}


class Two:
    """An entry, and another party's run of the same agent, both on the board."""

    def __init__(self, folder: Path) -> None:
        self.submissions, self.keys = folder / "submissions", folder / "keys"
        self.submissions.mkdir()
        self.lab_key = make_demo_key(folder / "lab")
        self.first = self.enter("theirs", VALUES)
        self.list_party()

    def enter(self, name: str, values: Values, submitter: str = "github:1234", **changes: Any) -> Path:
        bundle = run_bundle(name, values).model_copy(update={"submitter": submitter, **changes})
        keys = self.keys if submitter == "github:1234" else self.lab_key.parent
        folder = write_entry(self.submissions, bundle, keys)
        include(self.submissions, folder)
        regrade(self.submissions, folder, values)
        return folder

    def list_party(self, principal: str = LAB, key: Path | None = None) -> None:
        public = " ".join((key or self.lab_key).with_suffix(".pub").read_text().split()[:2])
        (self.submissions / "parties.toml").write_text(
            f'schema_version = 1\n[[party]]\nname = "lab"\ntitle = "A lab"\nprincipal = "{principal}"\n'
            f'keys = ["{public}"]\nsince = "2026-11-21"\n'
        )

    def report(self, **changes: Any) -> Path:
        bundle = Bundle.from_json((self.first / "bundle.json").read_bytes())
        attempts = tuple(
            Regraded(
                task="house-price",
                seed=seed,
                attempt=0,
                roles=("best", "final"),
                artifact_sha256=artifact("house-price", seed, 0),
                metric="r2",
                claimed=0.9,
                measured=verdict("house-price", 0.9),
                difference=0.0,
                allowed=1e-9,
                agrees=True,
                sentence="found again",
                cached=False,
            )
            for seed in range(4)
        )
        facts: dict[str, Any] = {
            "schema_version": 1,
            "bundle_sha256": hashlib.sha256(bundle.canonical()).hexdigest(),
            "entry": "theirs",
            "submitter": "github:1234",
            "profile": "official",
            "suite_version": "1.0.0",
            "harness_version": "0.1.0",
            "engine": "docker",
            "images": {},
            "attempts": attempts,
            "supports": "regraded",
        }
        file = self.submissions.with_name("theirs.regrade.json")
        file.write_bytes(RegradeReport(**{**facts, **changes}).canonical())
        return file

    def countersign(self, own: Path, key: Path | None = None) -> None:
        countersign(self.first, own, self.report(), "lab", key or self.lab_key)

    def rewrite(self, own: Path, change: Callable[[dict[str, Any]], None], namespace: str = NAMESPACE) -> None:
        """Change the statement as its own signer could, past our refusals."""
        tree = json.loads((own / STATEMENT).read_bytes())
        change(tree)
        (own / STATEMENT).write_bytes(canonical_bytes(tree))
        (own / STATEMENT_SIGNATURE).unlink()
        command = ["ssh-keygen", "-q", "-Y", "sign", "-f", self.lab_key, "-n", namespace, own / STATEMENT]
        subprocess.run(command, check=True, capture_output=True)

    def codes(self, own: Path) -> set[str]:
        return {code for code, _ in refusals(own, self.submissions)}

    def levels(self) -> dict[str, str]:
        with read_facts(self.submissions) as facts:
            return dict(facts.db.execute("SELECT entry, level::VARCHAR FROM entries ORDER BY entry").fetchall())


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def test_a_second_partys_own_run_reproduces_and_only_what_it_names(two: Two) -> None:
    own = two.enter("ours", CLOSE, LAB)
    two.countersign(own)
    assert two.codes(own) == set()
    assert two.levels() == {"ours": "regraded", "theirs": "regraded"}, "a signature alone is no evidence of scores"
    line = reproduce(two.submissions, "ours", "Run by the lab.")
    assert line.reproduced_by is not None and line.reproduced_by.party == "lab"
    assert two.levels() == {"ours": "regraded", "theirs": "reproduced"}


@pytest.mark.parametrize(
    "undo",
    [
        lambda two: two.list_party(principal="github:78"),
        lambda two: (two.submissions / "parties.toml").unlink(),
        lambda two: (two.submissions / "ours" / STATEMENT).write_bytes(b"{}"),
        lambda two: (two.submissions / "ours" / STATEMENT_SIGNATURE).unlink(),
        lambda two: two.rewrite(two.submissions / "ours", lambda tree: tree.update(created="2026-11-22T00:00:00Z")),
        lambda two: decide(two.submissions, two.submissions / "ours", "removal"),
        lambda two: decide(two.submissions, two.submissions / "ours", "downgrade", level="signed"),
        lambda two: decide(two.submissions, two.first, "downgrade", level="regraded"),
        lambda two: revoke(
            two.submissions,
            " ".join(two.lab_key.with_suffix(".pub").read_text().split()[:2]),
            "2001-01-01T00:00:00Z",
            {"time": NOW, "reason": "lost"},
        ),
    ],
    ids=["delisted", "no list", "edited", "unsigned", "another", "removed", "downgraded", "original", "revoked"],
)
def test_the_level_falls_with_what_it_rests_on(two: Two, undo: Callable[[Two], object]) -> None:
    own = two.enter("ours", CLOSE, LAB)
    two.countersign(own)
    reproduce(two.submissions, "ours", "Run by the lab.")
    assert two.levels()["theirs"] == "reproduced"
    undo(two)
    assert two.levels()["theirs"] == "regraded"


def test_a_run_that_falls_short_is_no_reproduction(two: Two) -> None:
    own = two.enter("ours", WORSE, LAB)
    two.countersign(own)
    with pytest.raises(UsageError, match=r"house-price: worse by 0\.2 on average"):
        reproduce(two.submissions, "ours", "Run by the lab.")
    assert [line.kind for line in read_ledger(two.submissions / LEDGER)].count("reproduction") == 0


def test_what_the_second_bundle_claims_counts_for_nothing(two: Two) -> None:
    """Claimed like the original, found worse: the board's own regrade is compared."""
    folder = write_entry(
        two.submissions, run_bundle("ours", CLOSE).model_copy(update={"submitter": LAB}), two.lab_key.parent
    )
    two.countersign(folder)
    with pytest.raises(UsageError, match="does not include these bytes of ours"):
        reproduce(two.submissions, "ours", "test")
    include(two.submissions, folder)
    with pytest.raises(UsageError, match="not regraded whole"):
        reproduce(two.submissions, "ours", "test")
    regrade(two.submissions, folder, WORSE)
    with pytest.raises(UsageError, match="worse by"):
        reproduce(two.submissions, "ours", "test")


def test_nobody_reproduces_herself(two: Two, tmp_path: Path) -> None:
    own = two.enter("again", CLOSE)
    two.list_party("github:1234", make_demo_key(two.keys))
    with pytest.raises(UsageError, match="GB504"):
        two.countersign(own, make_demo_key(two.keys))
    sock = two.enter("sock-puppet", CLOSE, LAB)
    two.list_party(LAB, make_demo_key(two.keys))
    with pytest.raises(UsageError, match="GB504 is by whoever holds the key that signed theirs"):
        two.countersign(sock, make_demo_key(two.keys))


def test_an_unlisted_party_a_foreign_key_and_another_namespace_are_refused(two: Two, tmp_path: Path) -> None:
    own = two.enter("ours", CLOSE, LAB)
    with pytest.raises(UsageError, match="GB502"):
        two.countersign(own, make_demo_key(tmp_path / "stranger"))
    two.countersign(own)
    two.rewrite(own, lambda tree: None, namespace=BUNDLE_NAMESPACE)
    assert two.codes(own) == {"GB502"}, "what was signed as a bundle is no counter-signature"
    two.rewrite(own, lambda tree: tree.update(party="other-lab"))
    assert two.codes(own) == {"GB502"}
    (two.submissions / "parties.toml").write_text("schema_version = 1\n")
    two.rewrite(own, lambda tree: tree.update(party="lab"))
    assert two.codes(own) == {"GB502"}
    with pytest.raises(UsageError, match="GB502"):
        reproduce(two.submissions, "ours", "test")


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda tree: tree["own"].update(bundle_sha256="ab" * 32), {"GB501"}),
        (lambda tree: tree.update(level="reproduced"), {"GB501"}),
        (lambda tree: tree["regrade"].update(disagreements=1), {"GB501"}),
        (lambda tree: tree["original"].update(bundle_sha256="ab" * 32), {"GB503"}),
        (lambda tree: tree["original"].update(entry="nobody"), {"GB503"}),
        (lambda tree: tree["original"].update(entry="../theirs"), {"GB501"}),
        (lambda tree: tree.update(principal="github:1234"), {"GB502"}),
    ],
)
def test_a_statement_about_something_else_is_refused(
    two: Two, change: Callable[[dict[str, Any]], None], codes: set[str]
) -> None:
    own = two.enter("ours", CLOSE, LAB)
    two.countersign(own)
    two.rewrite(own, change)
    assert two.codes(own) == codes


def test_a_counter_signature_moved_beside_another_run_is_refused(two: Two) -> None:
    own = two.enter("ours", CLOSE, LAB)
    two.countersign(own)
    other = two.enter("another", CLOSE, LAB)
    for name in (STATEMENT, STATEMENT_SIGNATURE):
        (own / name).rename(other / name)
    assert two.codes(other) == {"GB501"}
    assert two.codes(own) == set()


@pytest.mark.parametrize("other", ["agent", "agent_version", "model", "profile", "seed", "payload"])
def test_the_run_is_of_the_same_agent_and_its_own(two: Two, other: str) -> None:
    part = PayloadPart(name="house-price.tar.zst", sha256="cd" * 32, size_bytes=1)
    if other == "payload":
        two.first = two.enter("with-payload", VALUES, payload=(part,))
    bundle = run_bundle("ours", {"house-price": CLOSE["house-price"][: 3 if other == "seed" else 4]})
    if other in ("agent", "agent_version", "model"):
        bundle = bundle.model_copy(update={"entry": bundle.entry.model_copy(update={other: "other"})})
    if other == "profile":
        bundle = run_bundle("ours", CLOSE, profile="smoke")
    if other == "payload":
        bundle = bundle.model_copy(update={"payload": (part,)})
    own = write_entry(two.submissions, bundle.model_copy(update={"submitter": LAB}), two.lab_key.parent)
    data = (two.first / "bundle.json").read_bytes()
    about = {"entry": two.first.name, "bundle_sha256": hashlib.sha256(data).hexdigest()}
    with pytest.raises(UsageError, match="GB505"):
        countersign(two.first, own, two.report(**about), "lab", two.lab_key)
    assert not (own / STATEMENT).exists()


@pytest.mark.parametrize("change", [{"bundle_sha256": "ab" * 32}, {"attempts": (), "supports": "regraded"}])
def test_without_a_regrade_of_ones_own_there_is_nothing_to_sign(two: Two, change: dict[str, Any]) -> None:
    own = two.enter("ours", CLOSE, LAB)
    with pytest.raises(UsageError, match=r"not about|does not find"):
        countersign(two.first, own, two.report(**change), "lab", two.lab_key)


def sample(*values: float, error: float = 0.0) -> dict[str, Sample]:
    return {"three-sat": Sample(values, (error,) * len(values))}


def test_how_far_apart_two_runs_may_lie() -> None:
    specs = load_tasks()
    best = specs["house-price"].metric.direction
    assert best == "max" and specs["three-sat"].metric.direction == "min"
    assert not list(shortfalls(sample(0.5, 0.5), sample(0.4, 0.4), specs)), "better is no shortfall"
    assert not list(shortfalls(sample(0.5, 0.5), sample(0.57, 0.57), specs)), "within the task's tolerance of 15 %"
    assert list(shortfalls(sample(0.5, 0.5), sample(0.6, 0.6), specs)), "two runs without spread, and worse"
    assert not list(shortfalls(sample(0.5, 0.5, error=0.05), sample(0.6, 0.6, error=0.05), specs)), "graders differ"
    assert list(shortfalls(sample(0.5, 0.5), {}, specs)) and list(shortfalls(sample(0.5), sample(0.5), specs))
    assert list(shortfalls({"three-sat": Sample((), ())}, sample(0.5), specs)), "nothing to reproduce"


def test_everywhere_means_every_task(two: Two) -> None:
    """One task short is short."""
    good = everywhere({"house-price": 0.9, "three-sat": 0.7})
    two.first = two.enter("two-tasks", good)
    own = two.enter("ours", everywhere({"house-price": 0.9, "three-sat": 0.9}), LAB)
    data = (two.first / "bundle.json").read_bytes()
    about = {"entry": "two-tasks", "bundle_sha256": hashlib.sha256(data).hexdigest()}
    countersign(two.first, own, two.report(**about), "lab", two.lab_key)
    with pytest.raises(UsageError, match=r"three-sat: worse by 0\.2") as caught:
        reproduce(two.submissions, "ours", "test")
    assert "house-price" not in str(caught.value)

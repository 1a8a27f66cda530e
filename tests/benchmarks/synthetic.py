"""Synthetic boards: a submissions folder as CI would leave it, with 10 to 10,000 entries, and a season for them.

Takes a folder, a size and a seed, writes bundles, signatures, files of verdicts and the ledger; entry i is the same on
a board of any size. Boards belong into a temporary folder, never into the repository. Never grades anything: the
distributions are those of synthetic_shape.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.schema.base import canonical_bytes
from harness.schema.bundle import Bundle
from harness.schema.upstream import UPSTREAM_TASKS
from harness.signing import NAMESPACE
from scoring.ledger import LEDGER, START, VERDICTS, digest
from scoring.yardstick import TITLES
from tests.benchmarks import synthetic_shape as shape
from tests.benchmarks.synthetic_entry import make_entry
from tests.benchmarks.synthetic_episode import DAY, Tree
from tests.benchmarks.synthetic_shape import TASKS, TaskShape

IMPORTS = Path(__file__).resolve().parents[2] / "submissions"
NOW = f"{DAY}T23:30:00Z"
SEASON = "synthetic"
EPS = 0.05
ALONE = 200  # entries up to which starting processes takes longer than it saves


@dataclass(frozen=True)
class Written:
    """A board's size on disk."""

    entries: int
    bundle_bytes: int
    verdict_bytes: int
    ledger_bytes: int


@dataclass(frozen=True)
class _Part:
    """One entry that lies on disk: what the ledger will say of it, and its bytes."""

    lines: tuple[Tree, ...]
    bundle_bytes: int
    verdict_bytes: int = 0


def write_board(folder: Path, entries: int, seed: int, *, published: int = 0, broken: int = 0) -> Written:
    """Write `entries` runs, `published` imports beside them and `broken` folders that must be rejected.

    `folder` becomes the submissions folder and must be empty or absent. All cores are used from ALONE entries on; a
    script that calls this needs a main guard.
    """
    (folder / VERDICTS).mkdir(parents=True)
    write = partial(_write_run, folder, seed)
    if entries > ALONE:
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
            parts = list(pool.map(write, range(entries), chunksize=25))
    else:
        parts = [write(index) for index in range(entries)]
    parts += [_write_import(folder, index) for index in range(published)]
    for index in range(broken):
        _write_broken(folder, seed, index)
    ledger = b"".join(_chain(line for part in parts for line in part.lines))
    (folder / LEDGER).write_bytes(ledger)
    return Written(
        entries, sum(part.bundle_bytes for part in parts), sum(part.verdict_bytes for part in parts), len(ledger)
    )


def write_more(folder: Path, index: int, seed: int) -> None:
    """Entry `index` beside the others of a board, its lines at the ledger's end."""
    last = json.loads((folder / LEDGER).read_bytes().splitlines()[-1])
    part = _write_run(folder, seed, index)
    with (folder / LEDGER).open("ab") as ledger:
        ledger.writelines(_chain(part.lines, last["sequence"] + 1, last["sha256"]))


def _write_run(folder: Path, seed: int, index: int) -> _Part:
    made = make_entry(seed, index)
    data = canonical_bytes(made.bundle)
    place = folder / made.id
    place.mkdir()
    (place / "bundle.json").write_bytes(data)
    (place / "bundle.json.sig").write_bytes(_signature(data, seed))
    about: Tree = {"time": NOW, "entry": made.id, "bundle_sha256": hashlib.sha256(data).hexdigest()}
    key = {"kind": "inclusion", "reason": f"Pull request {index + 1}, checked.", "key_fingerprint": _fingerprint(seed)}
    lines, verdicts = [about | key], b""
    if made.found:
        verdicts = canonical_bytes({"entry": made.id, "bundle_sha256": about["bundle_sha256"], "verdicts": made.found})
        sha256 = hashlib.sha256(verdicts).hexdigest()
        (folder / VERDICTS / f"{sha256}.json").write_bytes(verdicts)
        lines.append(about | {"kind": "regrade", "reason": "Regraded by CI.", "verdicts_sha256": sha256})
    if made.kind == shape.DOWNGRADED:
        lines.append(about | {"kind": "downgrade", "reason": "An artifact could not be replayed.", "level": "signed"})
    if made.kind == shape.REVIEWED:
        lines.append(about | {"kind": "review", "reason": "Read by a person: an honest run."})
    return _Part(tuple(lines), len(data), len(verdicts))


def _write_import(folder: Path, index: int) -> _Part:
    """One of the committed imports under another name, its values moved by some percent."""
    originals = sorted(IMPORTS.glob("*-mlgym/bundle.json"))
    tree = json.loads(originals[index % len(originals)].read_bytes())
    tree["entry"] |= {"id": f"published-{index:05}", "model_label": f"Model {index}"}
    tree["audit"] = []
    factor = 1 + 0.1 * math.sin(index)
    for episode in tree["episodes"]:
        for attempt in episode["attempts"]:
            if "published" in attempt:
                attempt["published"] = {name: value * factor for name, value in attempt["published"].items()}
    data = Bundle.from_json(json.dumps(tree), subject=tree["entry"]["id"]).canonical()
    place = folder / tree["entry"]["id"]
    place.mkdir()
    (place / "bundle.json").write_bytes(data)
    line: Tree = {"time": NOW, "entry": place.name, "bundle_sha256": hashlib.sha256(data).hexdigest()}
    return _Part((line | {"kind": "inclusion", "reason": "Published results, imported."},), len(data))


def _write_broken(folder: Path, seed: int, index: int) -> None:
    """A signed bundle that ends in the middle."""
    data = canonical_bytes(make_entry(seed, index).bundle)
    place = folder / f"broken-{index:05}"
    place.mkdir()
    (place / "bundle.json").write_bytes(data[: len(data) // 2])
    (place / "bundle.json.sig").write_bytes(_signature(data, seed))


def _chain(lines: Iterable[Tree], first: int = 0, previous: str = START) -> Iterator[bytes]:
    """The ledger's bytes. append_line verifies the whole chain for every line, which 20,000 lines cannot afford."""
    for sequence, line in enumerate(lines, first):
        tree = line | {"sequence": sequence, "previous": previous}
        previous = digest(tree)
        sealed = tree | {"sha256": previous}
        yield json.dumps(sealed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _signature(data: bytes, seed: int) -> bytes:
    """What `ssh-keygen -Y sign` would write (PROTOCOL.sshsig); ten thousand processes would take minutes."""
    digest_of_data = hashlib.sha512(data).digest()
    about = _string(NAMESPACE.encode()) + _string(b"") + _string(b"sha512")
    signed = _key(seed).sign(b"SSHSIG" + about + _string(digest_of_data))
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + _string(_public(seed)) + about
    blob += _string(_string(b"ssh-ed25519") + _string(signed))
    text = base64.b64encode(blob).decode()
    lines = "\n".join(text[at : at + 70] for at in range(0, len(text), 70))
    return f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n".encode()


@cache
def _key(seed: int) -> Ed25519PrivateKey:
    """One key a board, known to everybody who knows the seed."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"gymboard synthetic {seed}".encode()).digest())


@cache
def _public(seed: int) -> bytes:
    return _string(b"ssh-ed25519") + _string(_key(seed).public_key().public_bytes_raw())


def _fingerprint(seed: int) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(_public(seed)).digest()).decode().rstrip("=")


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def write_season(file: Path) -> None:
    """A season of all thirteen tasks. tau_max: the smallest tenth at which who fails every task has rho = 1."""
    worst = max(_ratio(task) for task in TASKS) * (1 + EPS)
    tau_max = math.ceil(10 * math.log10(worst)) / 10
    head = {"name": SEASON, "frozen": DAY, "draft": True, "eps": EPS, "tau_max": tau_max, "prices": DAY}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in head.items())
    file.write_text(text + "".join(map(_task_toml, TASKS)), encoding="utf-8")


def _task_toml(task: TaskShape) -> str:
    domains = {upstream.id: upstream.domain for upstream in UPSTREAM_TASKS}
    fields = {
        "id": task.id,
        "title": TITLES[task.id],
        "domain": domains[task.id],
        "metric": task.metric,
        "direction": task.direction,
        "transform": task.transform,
        "baseline": task.baseline,
        "baseline_source": task.source,
        "reference": task.reference,
        "reference_source": "synthetic board",
        "public_labels": task.public_labels,
        "validations": 1,
    } | ({} if task.noise is None else {"noise": task.noise})
    return "\n[[tasks]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())


def _ratio(task: TaskShape) -> float:
    """Of the baseline to the reference, at least 1."""
    baseline, reference = task.baseline, task.reference
    if task.transform == "half-shifted":
        baseline, reference = (1 + baseline) / 2, (1 + reference) / 2
    return reference / baseline if task.direction == "max" else baseline / reference

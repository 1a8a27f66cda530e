"""Many entries on one board, quickly: a few bundles are signed by a real key, the ledger is a real chain."""

from __future__ import annotations

import hashlib
import random
import shutil
from pathlib import Path
from typing import Any

from scoring.facts.read import Facts
from scoring.ledger import LEDGER, append_line
from tests.scoring.builder import NOW, decide, include, regrade, run_bundle, write_entry
from tests.scoring.conftest import COMMITTED

IMPORT = "gpt-4o-mlgym"
TABLES = ("entries", "episodes", "attempts", "baselines", "notes", "ledger")


def relations(facts: Facts) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every relation, in one order."""
    return {table: sorted(facts.db.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in TABLES}


def write_imports(submissions: Path, count: int) -> None:
    """`count` included imports, `import-0` and so on."""
    original = (COMMITTED / IMPORT / "bundle.json").read_bytes()
    for number in range(count):
        name = f"import-{number}"
        folder = submissions / name
        folder.mkdir(parents=True)
        data = original.replace(f'"id": "{IMPORT}"'.encode(), f'"id": "{name}"'.encode())
        (folder / "bundle.json").write_bytes(data)
        about = {"time": NOW, "entry": name, "bundle_sha256": hashlib.sha256(data).hexdigest()}
        append_line(submissions / LEDGER, {**about, "kind": "inclusion", "reason": "test"})


def write_mixture(submissions: Path, keys: Path, count: int) -> None:
    """Imports, runs of every standing, and one that is broken."""
    write_imports(submissions, count)
    values = {"house-price": [[0.9, 0.91], [0.92], [], [0.89]], "three-sat": [[0.7], [0.71], [0.69], [0.7]]}
    for name in ("run-regraded", "run-signed", "run-downgraded", "run-removed"):
        folder = write_entry(submissions, run_bundle(name, values), keys)
        include(submissions, folder)
        if name != "run-signed":
            regrade(submissions, folder, values)
    decide(submissions, submissions / "run-regraded", "review")
    decide(submissions, submissions / "run-downgraded", "downgrade", level="signed")
    decide(submissions, submissions / "run-removed", "removal")
    shutil.copytree(submissions / "import-0", submissions / "broken")
    (submissions / "broken" / "bundle.json").write_bytes(b'{"broken": ')


def shuffled(folder: Path, seed: int) -> None:
    """The same files, made in another order, so that the file system lists them in another."""
    names = sorted(place.name for place in folder.iterdir())
    random.Random(seed).shuffle(names)
    apart = folder.with_name("apart")
    folder.rename(apart)
    folder.mkdir()
    for name in names:
        (apart / name).rename(folder / name)
    apart.rmdir()

"""The contract as JSON Schema, for people who write or read these documents in another language.

Takes the records, gives one document a record; run as a module it writes them where the site publishes them:
`python -m harness.schema.export [FOLDER]`. A JSON Schema says the shape; rules across fields are the records' own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from harness.schema.base import Record
from harness.schema.bundle import Bundle
from harness.schema.document import canonical_bytes
from harness.schema.episode import Episode
from harness.schema.run import RunManifest
from harness.schema.task import TaskSpec

PUBLISHED: dict[str, type[Record]] = {
    "bundle": Bundle,
    "episode": Episode,
    "run-manifest": RunManifest,
    "task": TaskSpec,
}
FOLDER = Path(__file__).resolve().parents[2] / "site" / "docs" / "schemas"


def json_schemas() -> dict[str, bytes]:
    """`<name>.schema.json` -> its canonical bytes (JSON Schema draft 2020-12), the same on every machine."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        f"{name}.schema.json": canonical_bytes(draft | record.model_json_schema()) for name, record in PUBLISHED.items()
    }


def write(folder: Path) -> None:
    """Write every schema into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in json_schemas().items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

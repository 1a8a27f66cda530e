"""The published JSON Schemas are those of the records, and say what they should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from harness.schema.export import FOLDER, PUBLISHED, json_schemas


def test_the_committed_files_are_current() -> None:
    committed = {path.name: path.read_bytes() for path in FOLDER.glob("*.json")}
    assert committed == json_schemas(), "run: python -m harness.schema.export"


def test_every_object_is_closed_and_every_reference_leads_somewhere() -> None:
    for name, data in json_schemas().items():
        schema = json.loads(data)
        assert schema["$schema"].endswith("2020-12/schema")
        for place in [schema, *schema["$defs"].values()]:
            if place["type"] == "object":
                assert place["additionalProperties"] is False, (name, place["title"])
        references = {part.split('"')[0] for part in data.decode().split('"#/$defs/')[1:]}
        assert references <= set(schema["$defs"]), name


def test_required_fields_are_the_records_own() -> None:
    for name, record in PUBLISHED.items():
        schema = json.loads(json_schemas()[f"{name}.schema.json"])
        assert set(schema["properties"]) == set(record.model_fields)
        required = {key for key, field in record.model_fields.items() if field.is_required()}
        assert set(schema["required"]) == required


def test_the_module_writes_the_same_on_every_run(tmp_path: Path) -> None:
    for seed in ("0", "7"):
        subprocess.run(
            [sys.executable, "-m", "harness.schema.export", str(tmp_path / seed)],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(FOLDER.parents[2])},
            check=True,
        )
        assert {p.name: p.read_bytes() for p in (tmp_path / seed).iterdir()} == json_schemas()

"""Files beside an entry's page: seconds and exit codes of its steps, and in a local build their full text.

Takes payload parts that lie beside bundle.json and unpublished runs, writes into the built site, gives their addresses.
Never fetches a part, never publishes the text of an entry: that stays where its payload lies.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.schema.bundle import Bundle
from scoring.publish.evidence import MAX_PART_BYTES
from scoring.publish.local import Local, durations, part_texts

MAX_STEPS = 2000
"""Of an episode in the index: about 20 KB gzipped at the very most."""


class Texts(NamedTuple):
    """Where a reader's browser finds what the page does not hold. `beside`: names of the parts that scoring.publish
    .evidence copies under submissions/; `local`: episode id -> full text beside the page; `times`: seconds and exit
    codes of steps."""

    beside: frozenset[str] = frozenset()
    local: Mapping[str, str] = {}
    times: str | None = None


@dataclass(frozen=True)
class StepFiles:
    """`submissions`: the folder of entries, or None: nothing is looked for there. `local`: the previewed run."""

    submissions: Path | None = None
    local: Local | None = None

    def has(self, page: str) -> bool:
        """Whether a part lies where this page's text is looked for."""
        if page.endswith(".preview"):
            return True
        return self.submissions is not None and any(
            name.endswith(".tar.zst")
            for name in os.listdir(self.submissions / page)  # noqa: PTH208
        )

    def write(self, entries: Path, page: str, bundle: Bundle) -> Texts:
        """Write what is known of this page's steps into `entries`, the folder of the stamped pages."""
        if self.local and page == f"{bundle.entry.id}.preview":
            texts = dict(self.local.texts())
            times = _times(entries, page, texts.items())
            return Texts(local=_copied(entries / page, texts), times=times)
        if self.submissions is None or all(part.location for part in bundle.payload):
            return Texts()
        folder = self.submissions / page
        small = [one.name for one in bundle.payload if not one.location and one.size_bytes <= MAX_PART_BYTES]
        beside = frozenset(name for name in small if (folder / name).is_file())
        return Texts(beside, times=_times(entries, page, part_texts(folder, bundle)))


def _id(key: str) -> str:
    task, _, seed = key.partition("/seed-")
    return f"{task}.{seed}"


def _times(entries: Path, page: str, texts: Iterable[tuple[str, bytes]]) -> str | None:
    """By episode: a list of seconds, and a list of exit codes."""
    found = {_id(key): durations(text, MAX_STEPS) for key, text in texts}
    if not found:
        return None
    file = entries / f"{page}.steps.json"
    file.write_text(json.dumps(found, sort_keys=True, separators=(",", ":")), encoding="utf-8")
    return file.name


def _copied(folder: Path, texts: Mapping[str, bytes]) -> dict[str, str]:
    folder.mkdir()
    for key, text in texts.items():
        (folder / f"{_id(key)}.jsonl").write_bytes(text)
    return {_id(key): f"{folder.name}/{_id(key)}.jsonl" for key in texts}

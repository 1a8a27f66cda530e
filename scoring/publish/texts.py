"""Files beside an entry's page: seconds and exit codes of its steps, and in a local build their full text.

Takes payload parts that lie beside bundle.json and unpublished runs, writes into the built site, gives their addresses.
Never fetches a part, never publishes the text of an entry: that stays where its payload lies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.schema.bundle import Bundle
from scoring.publish.local import Local, durations, part_texts

MAX_STEPS = 2000
"""Of an episode in the index: about 20 KB gzipped at the very most."""


class Texts(NamedTuple):
    """Where a reader's browser finds what the page does not hold. `base`: https folder of submissions/, for parts that
    lie there; `local`: episode id -> full text beside the page; `times`: seconds and exit codes of steps."""

    base: str | None = None
    local: Mapping[str, str] = {}
    times: str | None = None


@dataclass(frozen=True)
class StepFiles:
    """`submissions`: the folder of entries, or None: nothing is looked for there. `local`: the previewed run."""

    submissions: Path | None = None
    base: str | None = None
    local: Local | None = None

    def write(self, entries: Path, page: str, bundle: Bundle) -> Texts:
        """Write what is known of this page's steps into `entries`, the folder of the stamped pages."""
        if self.local and page == f"{bundle.entry.id}.preview":
            texts = dict(self.local.texts())
            times = _times(entries, page, texts.items())
            return Texts(local=_copied(entries / page, texts), times=times)
        if self.submissions is None or all(part.location for part in bundle.payload):
            return Texts(self.base)
        return Texts(self.base, times=_times(entries, page, part_texts(self.submissions / page, bundle)))


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

"""Scrub: what is packed carries no key, token, e-mail address or home path.

Takes the bytes of a packed log or a record, gives them without such finds, and keeps a tally of what was found where:
kinds with their forms and counts, never a value. The same bytes give the same bytes. A secret in an artifact is never
taken out, for the artifact's digest is what was graded: it refuses the pack. Never changes a file of the run.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import CheckError, Problem, SchemaError
from harness.schema.base import canonical_bytes, parse_json
from harness.secret_forms import without_broken, without_broken_value, without_forms
from harness.secret_kinds import KINDS, MARK, Kind, secret_kinds, without

_SECRET_NAMES = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|CREDENTIALS)$")
_MIN_VALUE = 8
_CHUNK, _OVERLAP = 1 << 20, 1 << 15


def known_secrets(environment: Mapping[str, str] = os.environ, home: Path | None = None) -> dict[str, str]:
    """value -> kind: the values that this process holds under a secret's name, and its own home folder."""
    values = {
        value: "environment"
        for name, value in environment.items()
        if _SECRET_NAMES.search(name.upper()) and len(value) >= _MIN_VALUE and not _is_path(value)
    }
    folder = str(home or Path.home())
    return values | ({folder: "home"} if folder not in ("/", "/root") and len(folder) >= _MIN_VALUE else {})


def _is_path(value: str) -> bool:
    try:
        return Path(value).exists()
    except OSError:  # too long for a name
        return False


@dataclass
class Scrubber:
    """Scrubs and keeps the tally. `known`: values without a known shape, each with its kind."""

    known: Mapping[str, str] = field(default_factory=known_secrets)
    tally: dict[str, Counter[str]] = field(default_factory=dict)

    def log(self, where: str, name: str, data: bytes) -> bytes:
        """One of a payload's logs: steps.jsonl line by line, trajectory.json as a document, else text."""
        if name.endswith(".jsonl"):
            lines = data.split(b"\n")
            return b"".join(self._line(where, line) + b"\n" for line in lines[:-1])  # a torn last line is none
        if name.endswith(".json"):
            return self._document(where, data)
        return self.text(where, data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def tree(self, where: str, tree: Any) -> Any:
        """A JSON tree with every string scrubbed, also the keys; base64 under `data` is looked into."""
        if isinstance(tree, str):
            return self.text(where, tree)
        if isinstance(tree, list):
            return [self.tree(where, item) for item in tree]
        if isinstance(tree, dict):
            return {self.text(where, key): self._value(where, key, value) for key, value in tree.items()}
        return tree

    def text(self, where: str, text: str) -> str:
        """Text without finds, in whatever form they are."""
        found: Counter[str] = Counter()
        clean = without_forms(self._plain(text, found), found, self._plain)
        if found:
            self.tally.setdefault(where, Counter()).update(found)
        return clean

    def _plain(self, text: str, found: Counter[str], *, kinds: tuple[Kind, ...] = KINDS) -> str:
        for value in sorted(self.known, key=len, reverse=True):
            if value in text:
                found[self.known[value]] += text.count(value)
                text = text.replace(value, MARK + self.known[value])
            text = without_broken_value(text, found, value, self.known[value])
        return without(without_broken(text, found, kinds), found, kinds)

    def refuse_secrets(self, files: Iterable[tuple[str, Path]]) -> None:
        """Raise CheckError that names every artifact with a key or token in it; binary files are not looked into."""
        problems = []
        for where, file in files:
            if kinds := self._secrets_of(file):
                what = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
                problems.append(Problem(where, f"holds {what}; an artifact is packed as it was graded or not at all"))
        if problems:
            raise CheckError("artifacts with secrets", problems)

    def report(self) -> dict[str, dict[str, int]]:
        """where -> kind -> count, sorted."""
        return {where: dict(sorted(self.tally[where].items())) for where in sorted(self.tally)}

    def _line(self, where: str, line: bytes) -> bytes:
        try:
            tree = parse_json(line, where)
        except SchemaError:
            return self.text(where, line.decode("utf-8", "replace")).encode()
        clean = self.tree(where, tree)
        return line if clean == tree else json.dumps(clean, sort_keys=True, ensure_ascii=True).encode()

    def _document(self, where: str, data: bytes) -> bytes:
        try:
            tree = parse_json(data, where)
        except SchemaError:
            return self.text(where, data.decode("utf-8", "replace")).encode()
        clean = self.tree(where, tree)
        return data if clean == tree else canonical_bytes(clean)

    def _value(self, where: str, key: str, value: Any) -> Any:
        if key != "data" or not isinstance(value, str):
            return self.tree(where, value)
        try:
            inside = base64.b64decode(value, validate=True).decode("utf-8")
        except ValueError:
            return self.text(where, value)
        clean = self.text(where, inside)
        return value if clean == inside else base64.b64encode(clean.encode()).decode()

    def _secrets_of(self, file: Path) -> Counter[str]:
        found: Counter[str] = Counter()
        known = {value: kind for value, kind in self.known.items() if kind != "home"}
        plain = partial(Scrubber(known)._plain, kinds=secret_kinds())
        with file.open("rb") as opened:
            before = b""
            while chunk := opened.read(_CHUNK):
                if not before and b"\0" in chunk[:8192]:
                    return found
                text = (before + chunk).decode("utf-8", "replace")
                here: Counter[str] = Counter()
                without_forms(plain(text, here), here, plain)
                found |= here
                before = chunk[-_OVERLAP:]
        return +found


def log_findings(name: str, data: bytes) -> Counter[str]:
    """What a packed log still holds, by the public patterns alone: what a scrubber without known values would find."""
    scrubber = Scrubber(known={})
    scrubber.log(name, name, data)
    return sum(scrubber.tally.values(), Counter())

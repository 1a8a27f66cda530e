"""The cache of segments: a folder that any number of processes share.

Takes cases, gives the segments that hold their facts, reading only what no segment holds. Costs time when it is lost,
damaged or full, and never changes a fact. Rejections are not kept.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from scoring.facts.compact import merge
from scoring.facts.evidence import Case, Outcome
from scoring.facts.hold import Hold, remove
from scoring.facts.segment import Segment, open_segment, segment_name

SMALL = 1000
"""Entries below which a segment is merged, once there are MANY of them."""
MANY = 8
UNUSED_S = 7 * 24 * 3600


class Store:
    """Segments under `cache`; in a temporary folder without one, or when it cannot be written."""

    def __init__(self, cache: Path | None) -> None:
        self._scratch: list[tempfile.TemporaryDirectory[str]] = []
        self._holds: dict[Path, Hold] = {}
        self._where: dict[str, Segment] = {}
        try:
            self.folder = (cache or self._temporary()) / "segments"
            self.folder.mkdir(parents=True, exist_ok=True)
            places = sorted(place for place in self.folder.iterdir() if not place.name.startswith(".run-"))
        except OSError:
            self.folder, places = self._temporary(), []
        for place in places:
            self._open(place)

    @property
    def empty(self) -> bool:
        """Nothing could be found here."""
        return not self._where

    def find(self, evidence: str) -> Segment | None:
        """The segment that holds these facts, of several the largest."""
        return self._where.get(evidence)

    def fill(self, cases: Sequence[Case]) -> list[Outcome]:
        """Read these cases into new segments. Raises OSError when no folder has room for them."""
        try:
            return self._fill(cases)
        except OSError:
            self.folder = self._temporary()
            return self._fill(cases)

    def tidy(self, used: Iterable[str]) -> None:
        """Merge small segments once they are many, and remove what nobody has used for a week. `used`: evidence.

        A cache that cannot be tidied is left as it is.
        """
        locals_of: dict[Path, tuple[Segment, list[int]]] = {}
        for evidence in used:
            segment = self._where[evidence]
            locals_of.setdefault(segment.path, (segment, []))[1].append(segment.index[evidence][0])
        try:
            for path in locals_of:
                os.utime(path)
            small = {path: part for path, part in locals_of.items() if len(part[0].index) < SMALL}
            if len(small) > MANY:
                self._merge(small)
            self._remove_unused(set(locals_of))
        except OSError:
            return

    def close(self) -> None:
        """Let others remove what this process used."""
        self._holds.clear()
        self._where.clear()
        for place in self._scratch:
            place.cleanup()

    def _temporary(self) -> Path:
        self._scratch.append(tempfile.TemporaryDirectory(prefix="gymboard-facts-"))
        return Path(self._scratch[-1].name)

    def _fill(self, cases: Sequence[Case]) -> list[Outcome]:
        from scoring.facts.pool import read_all

        place = Path(tempfile.mkdtemp(prefix=".run-", dir=self.folder))
        hold = Hold(place)
        try:
            outcomes, written = read_all(cases, place)
            for folder in written:
                self._publish(folder)
            return outcomes
        finally:
            hold.release()
            shutil.rmtree(place, ignore_errors=True)

    def _publish(self, folder: Path, dying: Collection[Path] = ()) -> None:
        """Under its own name, where a whole segment of the same bytes may lie already, or what is left of one."""
        place = self.folder / segment_name(folder)
        if place not in self._holds:
            self._open(place, dying)
        if place not in self._holds:
            remove(place)
            folder.rename(place)
            self._open(place, dying)
        if place not in self._holds:
            raise OSError(f"{place} does not hold what was written")

    def _open(self, place: Path, dying: Collection[Path] = ()) -> None:
        try:
            hold = Hold(place)
        except OSError:
            return
        segment = open_segment(place)
        if segment is None:
            return
        self._holds[place] = hold
        for evidence in segment.index:
            known = self._where.get(evidence)
            if known is None or known.path in dying or len(known.index) < len(segment.index):
                self._where[evidence] = segment

    def _merge(self, small: dict[Path, tuple[Segment, list[int]]]) -> None:
        place = Path(tempfile.mkdtemp(prefix=".run-", dir=self.folder))
        hold = Hold(place)
        try:
            self._publish(merge(small, place / "merged"), dying=small)
        finally:
            hold.release()
            shutil.rmtree(place, ignore_errors=True)
        for path in small:
            self._holds.pop(path).release()
            remove(path)

    def _remove_unused(self, used: set[Path]) -> None:
        for place in self.folder.iterdir():
            if place not in used and place.lstat().st_mtime < time.time() - UNUSED_S:
                self._holds.pop(place, None)
                remove(place)

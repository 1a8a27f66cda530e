"""One page an entry, stamped from the shell that mkdocs has built.

Takes a Content and a built folder with the shell, leaves a page for every entry and the sitemap with their addresses;
the shell is gone. What depends on an entry alone is kept for later builds. Never reads what a payload holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from scoring.garbage import without_gc
from scoring.load import Bundles
from scoring.publish.announce import own_cards
from scoring.publish.bodies import Bodies, New, beside
from scoring.publish.content import Content
from scoring.publish.entry import Shown, removed_slots
from scoring.publish.evidence import addressed
from scoring.publish.former import Former
from scoring.publish.frame import SCRIPT, framed
from scoring.publish.kept import Kept, key
from scoring.publish.policy import bare, with_hosts
from scoring.publish.said import stands
from scoring.publish.sitemap import extend_sitemap
from scoring.publish.stamp import read_shell, slot, squeezed
from scoring.publish.templates import page_name
from scoring.publish.texts import StepFiles, Texts

SHELL = f"entries/{slot('entry-page')}.html"
BOARD_CARD = "board"
"""The card of an entry that has none of its own."""
_SHELL_SLOTS = {
    "entry-title": 3,
    "entry-description": 1,
    "entry-head": 1,
    "entry-tasks": 1,
    "entry-conduct": 1,
    "entry-episodes": 1,
    "entry-provenance": 1,
    "entry-hosts": 1,
}


@dataclass(frozen=True)
class EntryPages:
    """`made_by`: digest of what makes them; `place`: as build_site has it; `templates`: of the checkout; `former`: of
    the site that stands where this one will."""

    content: Content
    steps: StepFiles
    kept: Kept
    made_by: str
    place: str
    templates: Path
    former: Former
    _keys: list[tuple[Shown, bytes]] = field(default_factory=list)

    def begun(self, work: Path) -> AbstractContextManager[Bodies]:
        """What is not kept, made beside what the build does until it writes the pages. `work`: where jobs lie."""
        new = [New(body, shown) for shown, body in self._keyed() if body and not self.kept.has(body)]
        bundles = self.content.loaded
        place = bundles.folder if isinstance(bundles, Bundles) else Path()
        return beside(new, self.content, self.templates, place, work)

    def write(self, built: Path, bodies: Bodies) -> None:
        """In place. Raises GymboardError when the shell has not the slots that it must have."""
        path = built / SHELL
        html, script = framed(squeezed(path.read_text(encoding="utf-8")))
        html = bare(with_hosts(html))
        (built / SCRIPT).write_text(script, encoding="utf-8")
        perhaps = {name: many for name in ("entry-page", "entry-card") if (many := html.count(slot(name)))}
        shell = read_shell(html, {**_SHELL_SLOTS, **perhaps}, SHELL)
        cards, keys = own_cards(self.content), self._keyed()
        left = {
            page_name(pair[0].row): pair
            for pair in keys
            if not self._stands(built, key(html, self.place), *pair, cards)
        }
        with without_gc():
            for values in self._slots(path.parent, left, bodies):
                values["entry-card"] = cards.get(values["entry-page"], BOARD_CARD)
                (path.parent / f"{values['entry-page']}.html").write_text(shell.stamp(values), encoding="utf-8")
        path.unlink()
        names = [page_name(shown.row) for shown, _ in keys] + [str(line.entry) for line in self.content.removed()]
        extend_sitemap(built, slot("entry-page"), names)

    def _keyed(self) -> list[tuple[Shown, bytes]]:
        """Every page and the key of its body, made once."""
        if not self._keys:
            self._keys.extend((shown, self._key(shown)) for shown in self.content.entries())
        return self._keys

    def _stands(self, built: Path, shell: bytes, shown: Shown, body: bytes, cards: Mapping[str, str]) -> bool:
        """Whether the very page stood there before and was taken over."""
        if not body:
            return False
        page = page_name(shown.row)
        whole = key(shell, body, stands(shown.row), cards.get(page, BOARD_CARD))
        self.kept.uses(body)
        return self.former.take(f"entries/{page}.html", whole, built)

    def _slots(
        self, folder: Path, left: dict[str, tuple[Shown, bytes]], bodies: Bodies
    ) -> Iterator[dict[str, Markup | str]]:
        """Of those that are `left` to make, by name, and of removed entries. `folder`: of the pages."""
        for new, made in bodies.pages():
            if left.pop(page_name(new.shown.row), None):
                yield self._page(folder, new.shown, new.key, made)
        for shown, body in left.values():
            yield self._page(folder, shown, body, None)
        for line in self.content.removed():
            yield removed_slots(self.content.env, line)

    def _key(self, shown: Shown) -> bytes:
        """Of the body; none where a text lies beside the page: then more than the record decides about it."""
        page, bundles = page_name(shown.row), self.content.loaded
        digest = bundles.digest(page) if isinstance(bundles, Bundles) else None
        if digest is None or self.steps.has(page):
            return b""
        return self.content.body_key(shown, digest, self.made_by)

    def _page(self, folder: Path, shown: Shown, body: bytes, packed: bytes | None) -> dict[str, Markup | str]:
        """The body was made by a worker (`packed`), is kept from an earlier build if it has a key, or is made here."""
        page, content = page_name(shown.row), self.content

        def make() -> str:
            loaded = content.loaded.get(page)
            texts = self.steps.write(folder, page, loaded.bundle) if loaded else Texts()
            return json.dumps(content.body(shown, texts, loaded))

        text = self.kept.taken(body, packed) if packed else self.kept.text(body, make) if body else make()
        made = addressed(json.loads(text), self.place)
        hosts = {"entry-hosts": made.pop("entry-hosts")}
        slots = {name: Markup(html) for name, html in made.items()}  # noqa: S704 - the environment escaped
        return content.head(shown) | slots | hosts

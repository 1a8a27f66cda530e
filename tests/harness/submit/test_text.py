"""The pull request's text: a bundle's words in it are code, whatever they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from harness.schema.base import canonical_bytes
from harness.schema.bundle import Bundle
from harness.schema.task import load_tasks
from harness.submit.proposal import Proposal
from harness.submit.text import body
from tests.harness.submit.conftest import Submitter

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "`` ` ``` @everyone fixes #1",
    "a|b| c |",
    "[x](https://evil.example) ![y](//evil.example/p.png)",
    "\\` @ada \\|",
    "$(id) <!-- /gymboard submit -->",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_bundles_words_are_code_in_the_pull_request(submitter: Submitter, text: str) -> None:
    tree = submitter.proposal().bundle.model_dump(mode="json", exclude_none=True)
    tree["entry"].update(agent=text, agent_version=text, model=text, organization=text)
    tree["entry"]["url"] = "https://example.org/(x)[y]?a=@ada"
    bundle = Bundle.from_json(canonical_bytes(tree))
    said = body(Proposal(Path("x"), bundle, "0" * 64, {}, ()), load_tasks(submitter.tasks))
    tokens = MarkdownIt("commonmark").enable("table").parse(said)
    inline = [child for token in tokens for child in token.children or []]
    quoted = [child.content for child in inline if child.type == "code_inline"]
    assert sum("ada" in one or text[:3].strip("`\\|") in one for one in quoted) >= 4
    assert not [child for child in inline if child.type in ("html_inline", "link_open", "image")]
    shown = "".join(child.content for child in inline if child.type == "text")
    assert "@" not in shown and "<" not in shown and "#1" not in shown
    rows = [token for token in tokens if token.type == "tr_open"]
    assert len(rows) == 11 + 3, "no text opened or closed a row"

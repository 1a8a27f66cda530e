"""The page of rules, made from the rules themselves: `python -m harness.check.page site/docs/rules-codes.md`.

Takes the register of rules, gives Markdown. Never says what a rule does not say.
"""

from __future__ import annotations

import sys
from pathlib import Path

from harness.check.pull import PULL_RULES
from harness.check.rule import RULES

_HEAD = """# Rules of the board, by code

`gymboard check ENTRY` prints every problem as `error: path: code what was found`. An error keeps an entry out; a
warning says what it can become at best. Codes are never used twice.

## GB001

**Schema** (error). bundle.json is a document of the published schema: no unknown key, no duplicate key, no NaN.
*What to do*: pack the run again; never edit bundle.json by hand.

## GB002

**Contents** (error). The folder holds exactly what bundle.json states: parts, sizes, digests, regular files under their
own names, the artifacts that the episodes name, and nothing else.
*What to do*: pack the run again; fetch parts that lie elsewhere beside bundle.json.
"""


def rules_page() -> str:
    """Markdown of every rule, by code; each heading is the anchor that a problem names."""
    blocks = [_HEAD]
    for code, rule in sorted(RULES.items()):
        scope = "runs and imports" if rule.imports else "runs"
        head = f"**{rule.name[0].upper()}{rule.name[1:]}** ({rule.severity}; {scope})."
        blocks.append(f"## {code}\n\n{head} {_text(rule.sentence)}\n*What to do*: {_text(rule.remedy)}\n")
    for pull in PULL_RULES:
        head = f"**{pull.name[0].upper()}{pull.name[1:]}** (error; pull requests)."
        blocks.append(f"## {pull.code}\n\n{head} {_text(pull.sentence)}\n*What to do*: {_text(pull.remedy)}\n")
    return "\n".join(blocks)


def _text(words: str) -> str:
    """A placeholder in angle brackets is no markup, except between backticks, where Markdown says so itself."""
    parts = words.split("`")
    return "`".join(part if number % 2 else part.replace("<", "&lt;") for number, part in enumerate(parts))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(rules_page(), encoding="utf-8")

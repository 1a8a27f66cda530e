"""Every type of page that the site has, one line each: whatever judges pages judges these."""

from __future__ import annotations

ADDRESS = "https://board.example/gymboard/"
"""Where the sites that the tests build would lie: with a path, as on GitHub Pages."""

COMMITTED = {
    "home": "index.html",
    "published": "published.html",
    "compare": "compare.html",
    "what if": "what-if.html",
    "tasks": "tasks/index.html",
    "task": "tasks/colonel-blotto.html",
    "task with a chart of seeds": "tasks/three-sat.html",
    "task without a rank": "tasks/coco-captioning.html",
    "failures": "failures.html",
    "imported entry": "entries/gpt-4o-mlgym.html",
    "entry that was run": "entries/reference-baseline.html",
    "methodology": "methodology.html",
    "protocol": "protocol.html",
    "submit": "submit.html",
    "aids": "aids.html",
    "agents": "agents.html",
    "training environment": "gymnasium.html",
    "runs": "runs.html",
    "scale": "scale.html",
    "rules": "rules.html",
    "rules by code": "rules-codes.html",
    "hostile pull requests": "hostile.html",
    "ledger": "ledger.html",
    "page of the ledger": "ledger/0.html",
    "data": "data.html",
    "tables": "tables.html",
    "decisions": "decisions/index.html",
    "decision": "decisions/0008-entries-enter-through-the-ledger.html",
    "not found": "404.html",
}
"""Pages of the site of the committed entries."""

HOSTILE = {
    "home": "index.html",
    "published": "published.html",
    "compare": "compare.html",
    "what if": "what-if.html",
    "task": "tasks/colonel-blotto.html",
    "hostile entry": "entries/entry-3.html",
    "entry with an endless name": "entries/entry-4.html",
    "removed entry": "entries/gone.html",
    "unpublished run": "entries/entry-5.preview.html",
    "failures": "failures.html",
    "ledger": "ledger.html",
    "page of the ledger": "ledger/0.html",
}
"""Pages of the site of invented and hostile entries."""

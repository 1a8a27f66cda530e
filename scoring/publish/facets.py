"""The filters of a ranking: for each a name, what it is called, and its options as (value, words).

Takes a Table, gives choices. The value "" restricts nothing; the meaning of the others is in assets/js/board.js.
"""

from __future__ import annotations

from typing import NamedTuple

from scoring.ledger import LEVELS
from scoring.publish.formats import DOMAINS
from scoring.publish.table import Table

BUDGETS = ("0.10", "1", "10")


class Facet(NamedTuple):
    """One filter."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]


def facets(table: Table) -> tuple[Facet, ...]:
    """Domain (beats a baseline in it), level, open weights, cost an episode."""
    domains = dict.fromkeys(task.domain for task in table.board.tasks)
    return (
        Facet(
            "domain",
            "Beats a baseline in the domain",
            (("", "any domain"), *((domain, DOMAINS[domain]) for domain in domains)),
        ),
        Facet("level", "Level", (("", "any level"), *((level, level) for level in LEVELS))),
        Facet(
            "weights", "Weights", (("", "any weights"), ("true", "open"), ("false", "closed"), ("null", "not stated"))
        ),
        Facet(
            "cost",
            "Cost per episode",
            (("", "any cost"), *((usd, f"up to ${usd}") for usd in BUDGETS), ("unknown", "cost unknown")),
        ),
    )

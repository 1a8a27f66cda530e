"""The rules of a pull request, which .ci/preview and .ci/touched hold it to: what it may change.

Gives their codes, names, sentences and remedies, for the page of rules. The scripts look at folders and at git; whether
each of them is really refused, and nothing executed, is shown by tests/ci.
"""

from __future__ import annotations

from typing import NamedTuple


class PullRule(NamedTuple):
    """One rule; no script prints a code that is not here."""

    code: str
    name: str
    sentence: str
    remedy: str


PULL_RULES = (
    PullRule(
        "GB401",
        "ledger untouched",
        "A submission changes neither submissions/ledger.jsonl nor the verdicts under submissions/ledger.d/, nor the "
        "lists of revoked keys and of second parties beside them.",
        "Take that change back; a job on main and maintainers write them.",
    ),
    PullRule(
        "GB402",
        "no entry removed",
        "A submission removes no entry.",
        "Put it back. To withdraw your own entry, open an issue: a maintainer removes it with a line of the ledger.",
    ),
    PullRule(
        "GB403",
        "an entry is a folder",
        "What lies under submissions/ is a plain folder whose name is an entry id: lower-case words joined by -.",
        "Rename it, or replace the link or file by the folder that `gymboard pack` made.",
    ),
    PullRule(
        "GB404",
        "own entry",
        "An entry that is on the board is changed by its own submitter alone.",
        "Choose another id.",
    ),
    PullRule(
        "GB405", "something to look at", "A submission changes an entry.", "Add the folder that `gymboard pack` made."
    ),
    PullRule("GB406", "one entry", "A pull request changes one entry.", "Open one pull request for each."),
    PullRule(
        "GB407",
        "nothing else",
        "A submission changes nothing outside submissions/: no workflow, no code, no task.",
        "Open a pull request of its own for that.",
    ),
)

"""What a bundle may declare that its agent was given beyond the task, and what each word means.

Takes the lines of `declares`, gives sentences. Whether a declaration is true, or whether one is missing, is not for
here: rules of `gymboard check` compare them with the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MEANINGS: Mapping[str, str] = {
    "command": "A finished program acted: what it did inside cannot be replayed, so the entry rises no higher than "
    "regraded.",
    "embeddings": "The notes of memory were embedded by the paid model that is named; those calls were metered too.",
    "gateway": "The program asked its model through Gymboard's metering gateway, which counted tokens and cost.",
    "literature": "The agent could search publications and read PDF files, which may state a task's data or solution.",
    "memory": "The agent could keep notes and find them again by meaning.",
    "memory-shared": "Notes outlived an episode, so that what was learned in one may be part of another one's score.",
    "own-model-client": "The agent paid a model past the meter: its tokens and cost are its own word.",
    "program": "The digest of the folder that held the program; another folder is another agent.",
    "settings": "The digest of the agent's settings, which are not those that it has without a file.",
}
UNKNOWN = "A word of the agent's own, which Gymboard does not know."


def meaning(line: str) -> str:
    """The sentence of one line of `declares`: of its first word, for what follows is a digest or a name."""
    word, _, rest = line.partition(" ")
    takes_more = word in ("embeddings", "program", "settings")
    return MEANINGS[word] if word in MEANINGS and bool(rest) == takes_more else UNKNOWN


def declared(lines: Sequence[str] | None) -> list[tuple[str, str]]:
    """(line, meaning) each."""
    return [(line, meaning(line)) for line in lines or ()]

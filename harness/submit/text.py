"""Text: what the pull request says. Takes a Proposal, gives Markdown: facts of the bundle, its claims, a checklist.

The facts stand between two marks and are replaced by each call; what the submitter wrote or ticked around them stays.
Every text of the bundle is set as code, so that it can neither format nor call anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.schema.bundle import Bundle
from harness.schema.episode import Episode
from harness.schema.prices import load_prices
from harness.schema.task import TaskSpec
from harness.submit.proposal import END, MARK, Proposal

NONE = "-"
CHECKLIST = """
## Before it is merged

`gymboard submit` has verified the signature with a key of this account, and found no rule of the board broken.
The rest only you can say; tick what holds, and write the missing words.

- [ ] Every run that this agent made for the board is in this entry; none was chosen out of several.
- [ ] No person helped an episode.
- [ ] The agent saw no sealed labels, and no artifact is another submitter's.
- [ ] Knowledge from outside (pre-trained weights, retrieved documents, notes of earlier runs):
- [ ] What the agent was told about its score, beyond the answers of `validate` counted above:
"""


def body(proposal: Proposal, tasks: Mapping[str, TaskSpec]) -> str:
    """The text of a new pull request."""
    return facts(proposal, tasks) + CHECKLIST


def renewed(old: str | None, proposal: Proposal, tasks: Mapping[str, TaskSpec]) -> str:
    """The text of an open pull request with the facts of now; its other words are the submitter's."""
    before, mark, rest = (old or "").replace("\r\n", "\n").partition(MARK)
    _, end, after = rest.partition(END)
    if not mark or not end:
        return facts(proposal, tasks) + "\n" + (old or "")
    return before + facts(proposal, tasks).removesuffix("\n") + after


def facts(proposal: Proposal, tasks: Mapping[str, TaskSpec]) -> str:
    """The part between the marks, which are its first and last line."""
    bundle, entry = proposal.bundle, proposal.bundle.entry
    rows = [
        ("entry", code(entry.id)),
        ("agent", f"{code(entry.agent)} {code(entry.agent_version)}"),
        ("model", code(entry.model) if entry.model else "none was called"),
        ("made by", code(entry.organization) if entry.organization else NONE),
        ("described at", code(entry.url) if entry.url else NONE),
        (
            "run",
            f"{code(bundle.profile)} in {code(bundle.sandbox or 'import')}, harness {code(bundle.harness_version)}",
        ),
        ("submitter", code(bundle.submitter)),
        ("bundle.json", f"sha256 {code(proposal.bundle_sha256)}"),
        ("cost", cost(bundle)),
        ("evidence elsewhere", "<br>".join(f"{code(part.location or '')}" for part in proposal.elsewhere) or NONE),
    ]
    claims = [(*map(code, claim[:2]), *claim[2:]) for claim in claimed(bundle, tasks)]
    parts = [
        MARK,
        *_table(("", ""), rows),
        "",
        "What the run itself claims, by seed. The robots grade the artifacts anew, and only their values count.",
        "",
        *_table(("task", "metric", "handed in last", "episodes", "`validate` calls"), claims),
        END,
    ]
    return "\n".join(parts) + "\n"


def claimed(bundle: Bundle, tasks: Mapping[str, TaskSpec]) -> Iterator[tuple[str, str, str, str, str]]:
    """(task, ranked metric, the value handed in last of each seed, episodes with a value of all, validate calls)."""
    for task in sorted({episode.task for episode in bundle.episodes}):
        episodes = [episode for episode in bundle.episodes if episode.task == task]
        metric = tasks[task].metric.name
        values = [_last(episode, metric) for episode in episodes]
        shown = ", ".join(NONE if value is None else f"{value:.6g}" for value in values)
        looks = sum(attempt.kind == "validate" for episode in episodes for attempt in episode.attempts)
        valid = sum(value is not None for value in values)
        yield task, metric, shown, f"{valid} of {len(values)}", str(looks)


def cost(bundle: Bundle) -> str:
    """Tokens at the dated price, and hours. A model without a price is said to have none: that is not 0."""
    hours = sum(episode.usage.wall_s or 0.0 for episode in bundle.episodes) / 3600
    spent = f"{hours:.2f} h of episodes"
    if bundle.entry.model is None:
        return f"no model was called; {spent}"
    price = load_prices().find(bundle.entry.model, bundle.entry.date)
    if price is None:
        return f"no price is known for {code(bundle.entry.model)} on {bundle.entry.date}; {spent}"
    dollars = sum(price.cost_usd(episode.usage) for episode in bundle.episodes)
    return f"{dollars:.2f} USD at the prices since {price.since}; {spent}"


def code(text: str) -> str:
    """One cell of a table, as code: no mark-up, no mention, no way out of the cell."""
    return "`" + text.replace("`", "'").replace("|", "\\|") + "`"


def _last(episode: Episode, metric: str) -> float | None:
    sealed = episode.attempts[-1].sealed if episode.attempts else None
    return sealed.metrics.get(metric) if sealed else None


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield f"| {' | '.join(row)} |"

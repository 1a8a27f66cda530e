"""Numbers and codes as a reader sees them: fixed digits, so that two builds never differ.

Takes values of a Leaderboard, gives text. A value that is not known is an en dash or N/A, never 0.
"""

from __future__ import annotations

from typing import NamedTuple

UNKNOWN = "–"

EXITS = {
    "success": "success",
    "evaluation_error": "no valid artifact handed in",
    "max_steps": "step limit",
    "format": "format errors",
    "context": "context full",
    "cost": "cost limit",
    "wall_time": "time limit",
    "runtime": "agent or sandbox broke",
    "permission": "permission",
    "interrupted": "interrupted",
    "unknown": "not recorded",
}

DOMAINS = {
    "data-science": "data science",
    "algorithms": "algorithms",
    "game-theory": "game theory",
    "vision": "vision",
    "vision-language": "vision and language",
    "language": "language",
    "rl": "reinforcement learning",
}

READINGS = {
    "season": "season",
    "live": "live",
    "mlgym-compat": "MLGym-compatible",
}


class LevelWords(NamedTuple):
    """What a level proves, and what it does not."""

    proves: str
    not_proved: str


LEVELS = {
    "reported": LevelWords(
        "The figures were copied from a publication, with their source.",
        "That the agent produced them, or that the grader could not be influenced. Nothing was recomputed.",
    ),
    "signed": LevelWords(
        "The named submitter signed exactly these bytes.",
        "That any figure is right. A signature says who speaks, not that it is true.",
    ),
    "regraded": LevelWords(
        "Our own job graded the submitted artifacts again in fresh official containers; the values shown are ours.",
        "That the agent made the artifacts within the limits, or without a person's help.",
    ),
    "replayed": LevelWords(
        "The recorded actions, executed again in a fresh container without a model, led to equivalent artifacts.",
        "That the actions came from the named model, or that test labels were not memorised.",
    ),
    "reproduced": LevelWords(
        "A listed second party ran the agent itself and counter-signed the result.",
        "That the result holds for other seeds, tasks or model versions.",
    ),
}


def number(value: float | None, digits: int = 3) -> str:
    """Fixed digits; powers of ten for values that would not fit a cell."""
    if value is None:
        return UNKNOWN
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2e}".replace("-", "−")
    shown = digits if abs(value) < 100 else 1
    return f"{value:z.{shown}f}".replace("-", "−")


def signed(value: float | None, digits: int = 3) -> str:
    """A difference, with its sign; one that rounds to nothing has none."""
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.") else text


def duration(seconds: float) -> str:
    """`0.4 s`, `48 s`, `3.2 min`, `35 min`, `1.5 h`: at least two digits."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.{int(seconds < 10 * size)}f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def usd(value: float | None) -> str:
    """Two decimals; four below ten cents. Unknown is N/A, never $0."""
    if value is None:
        return "N/A"
    return f"${value:.4f}" if 0 < value < 0.1 else f"${value:.2f}"


def count(value: int | None) -> str:
    """Thousands as 12.3k, millions as 4.56M."""
    if value is None:
        return UNKNOWN
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            scaled = value / size
            return f"{scaled:.0f}{unit}" if scaled >= 100 else f"{scaled:.1f}{unit}"
    return str(value)


def ranks(low: int | None, high: int | None) -> str:
    """`1-3`, or `2` where both ends agree."""
    if low is None or high is None:
        return UNKNOWN
    return str(low) if low == high else f"{low}–{high}"


def exit_words(status: str | None) -> str:
    """An exit status in words."""
    return UNKNOWN if status is None else EXITS.get(status, status)


def slug_words(name: str) -> str:
    """`mnli` stays, `house-price` becomes `house price`."""
    return name.replace("-", " ")


def visible(text: str) -> str:
    """Every character that cannot be seen (control, direction override, zero width) as a replacement character."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)

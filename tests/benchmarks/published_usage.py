"""What an episode used in the published runs of five models: the facts behind `gymboard run`'s estimate.

Run: PYTHONPATH=. python tests/benchmarks/published_usage.py > harness/llm/published_usage.toml. Reads the imported
bundles under submissions/; upstream's counts, without prompt caches.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from harness.schema.bundle import Bundle

SUBMISSIONS = Path(__file__).resolve().parents[2] / "submissions"


def table() -> str:
    """The TOML of published_usage.toml."""
    lines = [
        "# Mean tokens of an episode of at most 50 steps, without prompt caches, in the runs that MLGym published.",
        "# Written by tests/benchmarks/published_usage.py from the imported bundles under submissions/.",
        "steps = 50",
    ]
    for folder in sorted(SUBMISSIONS.glob("*-mlgym")):
        bundle = Bundle.from_json((folder / "bundle.json").read_bytes(), subject=folder.name)
        used = [episode.usage for episode in bundle.episodes if episode.usage.api_calls]
        lines += [
            "",
            "[[runs]]",
            f'entry = "{folder.name}"',
            f"episodes = {len(used)}",
            f"input_tokens = {round(statistics.mean(usage.input_tokens for usage in used))}",
            f"output_tokens = {round(statistics.mean(usage.output_tokens for usage in used))}",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")

"""Replay: recorded actions, executed again without any model, beside what was recorded; of an episode or an entry."""

from harness.replay.entry import Wanted, replay_entry, write_report
from harness.replay.episode import Recorded, Replay, ReplayedAttempt, recorded, replay

__all__ = [
    "Recorded",
    "Replay",
    "ReplayedAttempt",
    "Wanted",
    "recorded",
    "replay",
    "replay_entry",
    "write_report",
]

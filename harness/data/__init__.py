"""Datasets: pinned sources -> an agent/ and a grader/ folder, by checksum, atomically."""

from harness.data.folders import Prepared, prepare

__all__ = ["Prepared", "prepare"]

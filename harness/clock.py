"""This moment, UTC, to the second, as the schema writes it. Takes nothing, gives text. Never a local time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """For instance 2026-11-21T09:30:00Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Where untrusted code runs: one protocol, a Docker engine and a plain-process engine."""

from __future__ import annotations

from typing import Literal

from harness.sandbox.base import Engine


def open_engine(kind: Literal["docker", "local", "auto"]) -> Engine:
    """Docker, local, or the best that answers. Raises EngineUnavailable when docker was asked for and does not."""
    from harness.errors import EngineUnavailable

    if kind in ("docker", "auto"):
        from harness.sandbox.docker import DockerEngine

        try:
            return DockerEngine()
        except EngineUnavailable:
            if kind == "docker":
                raise
    from harness.sandbox.local import LocalEngine

    return LocalEngine()

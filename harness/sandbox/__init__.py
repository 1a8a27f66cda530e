"""Where untrusted code runs: one protocol, a Docker engine and a plain-process engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from harness.sandbox.base import Engine

if TYPE_CHECKING:
    from harness.sandbox.gpus import Gpus


def open_engine(kind: Literal["docker", "local", "auto"], gpus: Gpus | None = None) -> Engine:
    """Docker, local, or the best that answers; with GPUs it is Docker.

    Raises EngineUnavailable when docker is needed and does not answer (one that refuses is waited for a moment: it may
    be starting), UsageError for GPUs in the local sandbox.
    """
    from harness.engine import START_WAIT_S, patience_s
    from harness.errors import EngineUnavailable, UsageError

    if kind in ("docker", "auto"):
        from harness.sandbox.docker import DockerEngine

        try:
            wait_s = min(START_WAIT_S, patience_s()) if kind == "docker" or gpus else 0.0
            return DockerEngine(gpus, wait_s)
        except EngineUnavailable:
            if kind == "docker" or gpus:
                raise
    if gpus:
        raise UsageError("GPUs are passed to containers only: take --sandbox docker, or --gpus none")
    from harness.sandbox.local import LocalEngine

    return LocalEngine()

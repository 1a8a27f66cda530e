"""The run that nothing disturbs, which every row of the fault table is held to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.executors.side import NOTHING, Side, counted, script
from tests.once import made_once
from tests.servers.models import model_server

Undisturbed = Callable[..., Any]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """sandbox -> the record of a run of one episode after another in one process, made once for all files."""

    def record(sandbox: str, *, bill: bool = True) -> Any:
        def make(folder: Path) -> None:
            side = Side(folder, sandbox)
            with model_server(script) as server:
                code, said = side.end(server)
                assert code == 0, said
                assert dict(counted(side, server)) == NOTHING

        return Side(made_once(tmp_path_factory, f"undisturbed-{sandbox}", make), sandbox).record(bill=bill)

    return record

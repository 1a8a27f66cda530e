"""What tests need of the machine, and how they say so when it is not there.

GYMBOARD_REQUIRE=docker,browser,data turns a skip of that kind into a failure. No example of hypothesis has a deadline
of its own: on a busy machine it would fail for being slow, which tests/benchmarks measure and tests do not.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

settings.register_profile("gymboard", deadline=None)
settings.load_profile("gymboard")
os.environ.setdefault("NODE_DISABLE_COMPILE_CACHE", "1")  # npm and the browser's driver would leave one in TMPDIR

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("docker", "browser", "data")
LONGEST = (
    "tests/harness/runner/test_machine_faults.py",
    "tests/harness/executors/test_faults.py",
    "tests/site/test_axe.py",
    "tests/harness/executors/test_ray.py",
    "tests/tasks/vision/test_exploits.py",
    "tests/site/test_bad_input.py",
    "tests/ci/test_workflows.py",
    "tests/ci/test_hostile_entries.py",
    "tests/site/test_keyboard.py",
    "tests/harness/executors/test_ray_installed.py",
    "tests/harness/runner/test_resume.py",
)
"""Files of few tests that take minutes, the longest first."""


@cache
def missing(kind: str) -> str | None:
    """Why this machine has none of that kind; None: it has."""
    if kind == "docker":
        import docker

        try:
            docker.from_env(timeout=10).ping()
        except docker.errors.DockerException as error:
            return f"no container engine answers ({error})"
        return None
    if kind == "browser":
        if not importlib.util.find_spec("playwright"):
            return "playwright is not installed"
        return None if shutil.which("chromium") else "chromium is not installed"
    return None if (data_folder() / "house_prices.csv").is_file() else f"no real data in {data_folder()}"


def data_folder() -> Path:
    return Path(os.environ.get("GYMBOARD_TEST_DATA") or ROOT.parent / "shared" / "data")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for kind in KINDS:
        if item.get_closest_marker(kind) and (reason := missing(kind)):
            lacking(kind, reason)
    if item.get_closest_marker("docker"):
        _build()


@cache
def _build() -> None:
    """Whichever test comes first, in whichever process; `make test` does the same for plain processes."""
    from harness import images

    images.build("cpu", None, print)


def lacking(kind: str, reason: str) -> NoReturn:
    """Skip the test, or fail it when GYMBOARD_REQUIRE has `kind`."""
    required = set(filter(None, os.environ.get("GYMBOARD_REQUIRE", "").split(",")))
    text = f"needs {kind}: {reason}"
    pytest.fail(text) if kind in required else pytest.skip(text)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: half of the suite waits for containers and pages."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, then those of most tests, so that none is begun when the other processes are done."""
    places, sizes = {name: place for place, name in enumerate(LONGEST)}, Counter(item.path for item in items)
    files = {path: places.get(path.relative_to(ROOT).as_posix(), len(places)) for path in sizes}
    items.sort(key=lambda item: (files[item.path], -sizes[item.path], item.path))


class Failures:
    """Says each failure when it happens: a run that is ended from outside has no summary."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._terminal.ensure_newline()
            self._terminal.write_line(f"FAILED {report.when} of {report.nodeid}", red=True)
            self._terminal.write_line(report.longreprtext[-2000:])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was skipped, a line for each reason: a line for each place would leave none for what failed."""
    reasons = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()))
    for reason, times in reasons.most_common():
        terminalreporter.write_line(f"{times} skipped: {reason.removeprefix('Skipped: ')}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if terminal := config.pluginmanager.get_plugin("terminalreporter"):
        config.pluginmanager.register(Failures(terminal))


@pytest.fixture
def real_data() -> Path:
    return data_folder()

"""Where the time went: the phases and the rest add up to the whole, each moment counted once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runs.timings import PHASES, REST, timings, together
from harness.telemetry.event import Event, event


def life(*spans: tuple[str, float, float], end: float | None = None, decided: float = 0.0) -> list[Event]:
    """A life from second 0 on, each span an event of that name."""
    told = [event("episode-begun", 0.0, None, {})]
    told += [
        event(name, since, until, {"decided_s": decided} if name == "step" else {}) for name, since, until in spans
    ]  # type: ignore[arg-type]
    return told if end is None else [*told, event("episode", 0.0, end, {})]


def test_each_phase_and_what_is_left_for_the_harness() -> None:
    spent = timings(life(("container", 0, 2), ("command", 3, 7), ("grade", 7, 9), ("step", 2, 9), end=10, decided=0.5))
    expected = {"container": 2.0, "command": 4.0, "grade": 2.0, "agent": 0.5, REST: 1.5}
    assert spent.phases == pytest.approx(expected, abs=1e-5)
    assert spent.total_s == pytest.approx(10.0, abs=1e-5) and spent.lives == 1
    assert spent.share("command") == pytest.approx(0.4)


def test_what_a_program_waits_for_is_not_the_programs() -> None:
    """A program's command spans its model's answers, two of them side by side, and a grade."""
    spent = timings(life(("command", 0, 10), ("model", 1, 4), ("model", 2, 5), ("grade", 6, 8), end=10))
    assert spent.phases == pytest.approx({"model": 4.0, "grade": 2.0, "command": 4.0}, abs=1e-5)
    assert spent.parts["model"] == pytest.approx(6.0), "the answers themselves took longer"


def test_deciding_is_the_agents_as_far_as_no_model_answers() -> None:
    spent = timings(life(("model", 1, 3), ("step", 0, 4), end=4, decided=4.0))
    assert spent.phases == pytest.approx({"model": 2.0, "agent": 2.0}, abs=1e-5)


def test_a_killed_life_counts_up_to_its_last_event_and_the_next_one_adds_to_it() -> None:
    killed = life(("container", 0, 1), ("command", 1, 3))
    spent = timings([*killed, *life(("container", 0, 1), end=2)])
    assert (spent.lives, spent.total_s) == (2, pytest.approx(5.0, abs=1e-5))
    assert spent.phases == pytest.approx({"container": 2.0, "command": 2.0, REST: 1.0}, abs=1e-5)


def test_nothing_told_is_nothing_claimed() -> None:
    assert timings([]) == together([]) and timings([]).total_s == 0.0 and timings([]).share("model") == 0.0
    headless = timings([event("command", 0.0, 1.0, {})])
    assert headless.total_s == 0.0, "an event without its episode's begin"


moments = st.floats(-5, 25, allow_nan=False)


@given(st.lists(st.tuples(st.sampled_from([*PHASES[:4], "step"]), moments, moments)), st.floats(0, 20))
def test_phases_add_up_to_the_whole(spans: list[tuple[str, float, float]], end: float) -> None:
    told = life(*[(name, min(a, b), max(a, b)) for name, a, b in spans], end=end, decided=1.0)
    spent = timings(told)
    assert sum(spent.phases.values()) == pytest.approx(spent.total_s, abs=1e-4)
    assert spent.total_s == pytest.approx(end, abs=1e-4) and all(value >= -1e-4 for value in spent.phases.values())

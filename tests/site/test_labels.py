"""Names of points: none hides another, and an early name leaves a later one its only spot."""

from __future__ import annotations

from scoring.publish.labels import Box, Spot, place

FRAME = Box(0, 0, 270, 170)


def test_a_name_alone_stands_right_of_its_point() -> None:
    assert place([(20, 80)], ["ada"], FRAME, []) == [Spot(9, 0, "left")]


def test_a_name_that_fits_nowhere_is_left_out() -> None:
    assert place([(20, 80)], ["a" * 60], FRAME, []) == [None]


def test_names_of_one_place_never_hide_one_another() -> None:
    found = [spot for spot in place([(130, 80)] * 12, ["name"] * 12, FRAME, []) if spot]
    assert len(found) == len(set(found)) == 4, "left, right, above, below: the corners would touch these"


def test_an_early_name_makes_room_for_a_later_one() -> None:
    """The phone's cost frontier: Gemini below its point left Claude only a spot over another point."""
    points = [(234.0, 33.0), (40.0, 60.0), (155.0, 80.0), (108.0, 95.0)]
    names = ["OpenAI o1-preview", "Gemini 1.5 Pro", "Claude 3.5 Sonnet", "Llama 3.1 405B"]
    dots = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    line = [Box(40, 58, 234, 62), Box(232, 33, 236, 60)]
    spots = place(points, names, FRAME, [*line, *dots])
    assert all(spots)
    for (x, y), name, spot in zip(points, names, spots, strict=True):
        assert spot is not None
        left = x + spot.dx - {"left": 0.0, "center": 3.3 * len(name), "right": 6.6 * len(name)}[spot.align]
        box = Box(left, y + spot.dy - 7.5, left + 6.6 * len(name), y + spot.dy + 7.5)
        assert not any(box.overlap(dot) for dot in dots), name

"""Charts show what is known of a run's time, and say where that is little."""

from __future__ import annotations

from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.run.course import Course, CourseReading, CourseStep
from memrunbook.core.units import Unit
from memrunbook.ui.block import Block, Line, Table
from memrunbook.ui.course import MOST_CHARTS, MOST_POINTS, MOST_ROWS, course_parts
from memrunbook.ui.layout import plain
from memrunbook.ui.picture import Chart, Drawn, StepMark

BEGAN = 1_795_340_467.0
AVAILABLE, SWAP = "memory.available_percent", "swap.in_bytes_per_second"
REPORT = structs.replace(s.report(), before={AVAILABLE: 3.1, SWAP: 5}, after={AVAILABLE: 61.5, SWAP: 5})


def reading(seconds: float, why: str = "diagnosis", **values: float) -> CourseReading:
    return CourseReading(BEGAN + seconds, why, {name.replace("__", "."): value for name, value in values.items()})


def charts(parts: list[Block | Drawn]) -> list[Chart]:
    return [part for part in parts if isinstance(part, Chart)]


def lines(parts: list[Block | Drawn]) -> list[str]:
    return [plain((*part.head, *part.body)) for part in parts if isinstance(part, Line)]


def table(parts: list[Block | Drawn]) -> Table:
    [found] = [part for part in parts if isinstance(part, Table)]
    return found


KNOWN = Course(
    readings=(
        reading(0, memory__available_percent=3.0, swap__in_bytes_per_second=5),
        reading(130, "verify restart-grower", memory__available_percent=61.5, swap__in_bytes_per_second=5),
        reading(90, "after the gate", memory__available_percent=2.5),
    ),
    steps=(CourseStep(f"restart-grower/{s.GROWER}", BEGAN + 95, BEGAN + 103), CourseStep("no such step", BEGAN)),
)


def test_what_moved_is_drawn_in_the_order_of_time_with_its_steps_and_said_in_words() -> None:
    [chart] = charts(course_parts(REPORT, KNOWN))
    assert (chart.title, chart.unit) == ("memory available, %", Unit.PERCENT)
    assert [point.value for point in chart.points] == [3.0, 2.5, 61.5]
    assert chart.marks == (StepMark(2, BEGAN + 95, BEGAN + 103),)
    assert chart.said == (
        "3 readings from 09:41:07 to 09:43:17 UTC; the first 3.0 %, the last 61.5 %; the least 2.5 % at 09:42:37; "
        "the most 61.5 % at 09:43:17; step 2 at work from 09:42:42 to 09:42:50."
    )


def test_what_stood_still_is_told_and_every_number_stands_in_a_table() -> None:
    parts = course_parts(REPORT, KNOWN)
    assert "Did not move: swap in 0.0 MiB/h" in lines(parts)
    assert table(parts).columns == ("time", "read for", "memory available, %", "swap in, bytes/s")
    assert table(parts).rows[2] == ("09:42:37", "after the gate", "2.5 %", "not read")


def test_what_moved_less_than_words_tell_is_not_drawn_as_if_it_were_much() -> None:
    two = tuple(reading(n, memory__available_percent=89.39 + n / 100) for n in (0, 1))
    assert not charts(course_parts(REPORT, Course(readings=two)))


def test_what_was_read_once_is_not_said_to_stand_still() -> None:
    parts = course_parts(REPORT, Course(readings=KNOWN.readings[:1]))
    assert not charts(parts)
    assert "Read once: memory available 3.0 %, swap in 0.0 MiB/h" in lines(parts)
    assert "There is nothing to draw: no signal is known to have moved." in lines(parts)


def test_where_only_what_the_run_noted_is_known_that_is_drawn_and_said() -> None:
    told = (reading(1, "before the run", memory__available_percent=3.1),
            reading(200, "at its end", memory__available_percent=61.5))  # fmt: skip
    parts = course_parts(REPORT, Course(told=told, unread=4))
    [chart] = charts(parts)
    assert [point.value for point in chart.points] == [3.1, 61.5]
    assert any(one.startswith("Only what the run noted of memory available, % is known") for one in lines(parts))
    assert [row[1] for row in table(parts).rows] == ["before the run", "at its end"]


def test_where_nothing_is_known_that_is_said_and_nothing_is_invented() -> None:
    assert [one for one in lines(course_parts(REPORT, Course())) if "nothing can be drawn" in one]
    assert not charts(course_parts(REPORT, Course()))
    assert course_parts(structs.replace(REPORT, before={}, after={}), Course()) == []


def test_very_many_readings_are_bounded_and_their_extremes_are_drawn() -> None:
    values = [50.0 + (n % 7) for n in range(5000)]
    values[1234], values[4321] = 1.0, 99.0
    many = tuple(reading(n, memory__available_percent=value) for n, value in enumerate(values))
    parts = course_parts(REPORT, Course(readings=many))
    [chart] = charts(parts)
    drawn = [point.value for point in chart.points]
    assert len(drawn) <= MOST_POINTS + 2
    assert {1.0, 99.0} <= set(drawn)
    assert (chart.points[0].at, chart.points[-1].at) == (BEGAN, BEGAN + 4999)
    assert len(table(parts).rows) <= MOST_ROWS
    assert any("every 42nd" in one or "every 42" in one for one in lines(parts))


def test_very_many_signals_are_bounded_and_that_is_said() -> None:
    names = [f"swap.x{n}_bytes" for n in range(MOST_CHARTS + 3)]
    two = tuple(CourseReading(BEGAN + n, "", dict.fromkeys(names, float(n))) for n in (1, 2))
    parts = course_parts(structs.replace(REPORT, before={}, after={}), Course(readings=two))
    assert len(charts(parts)) == MOST_CHARTS
    assert "3 more moved: their numbers stand in the table." in lines(parts)

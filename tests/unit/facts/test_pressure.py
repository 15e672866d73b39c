from __future__ import annotations

from memrunbook.core.reading.fact import Answer, Sample, Unavailable
from memrunbook.core.reading.snapshot import supported
from memrunbook.facts import pressure
from memrunbook.facts.pressure import PressureReading


def line(total: int) -> str:
    return f"some avg10=99.00 avg60=1.00 avg300=0.10 total={total}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"


def test_totals_that_run_ahead_of_the_uptime_are_no_more_than_all_the_time() -> None:
    samples = (
        Sample(10.0, 10.0, {pressure.MEMORY: Answer(line(0))}),
        Sample(11.0, 11.0, {pressure.MEMORY: Answer(line(1_020_000))}),
    )
    reading = pressure.parse(samples, {})
    assert isinstance(reading, PressureReading)
    assert reading.some.percent == 100.0


def test_only_a_host_without_psi_says_that_it_does_not_support_it() -> None:
    """A read that gives EOPNOTSUPP is such a host; a sample cut short or a refusal is unknown."""
    switched_off = Unavailable("failed", "nothing could be read")
    found = {
        problem.reason: supported(pressure.parse((Sample(1, 1, {pressure.MEMORY: Answer(problem=problem)}),), {}))
        for problem in (
            Unavailable("absent", "-"),
            switched_off,
            Unavailable("denied", "-"),
            Unavailable("timeout", "-"),
        )
    }
    assert found["absent"] is False
    assert found["failed"] is False
    assert isinstance(found["denied"], Unavailable)
    assert isinstance(found["timeout"], Unavailable)
    assert isinstance(supported(pressure.parse((Sample(1, 1, {}),), {})), Unavailable)

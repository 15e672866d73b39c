"""Pressure stall information: the share of time in which tasks waited for memory, or for input and output."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable
from memrunbook.core.reading.figures import Figure
from memrunbook.core.units import Unit
from memrunbook.facts.shared.sampling import LEAST_SECONDS, ONE_SAMPLE, WENT_DOWN, Readings, latest

MEMORY = "/proc/pressure/memory"
IO = "/proc/pressure/io"
SOURCE = "/proc/pressure/{memory,io}"
MICROSECONDS = 1e6
_LINE = re.compile(
    r"^(some|full) avg10=(\d{1,3}\.\d{1,4}) avg60=(\d{1,3}\.\d{1,4}) avg300=(\d{1,3}\.\d{1,4}) total=(\d{1,19})$",
    re.MULTILINE | re.ASCII,
)


class Stall(Struct, frozen=True):
    """Percent of time in which at least one task waited (`some`), or all that had work to do (`full`)."""

    percent: Annotated[
        float | None, Doc("time that tasks waited, over our own samples", Unit.PERCENT, f"{SOURCE} total")
    ] = None
    avg10: Annotated[float | None, Doc("time waited, the last 10 s", Unit.PERCENT, f"{SOURCE} avg10")] = None
    avg60: Annotated[float | None, Doc("time waited, the last 60 s", Unit.PERCENT, f"{SOURCE} avg60")] = None
    avg300: Annotated[float | None, Doc("time waited, the last 300 s", Unit.PERCENT, f"{SOURCE} avg300")] = None


class IoPressure(Struct, frozen=True):
    """The same for block input and output."""

    some: Stall = Stall()
    full: Stall = Stall()


class PressureReading(Reading, frozen=True, kw_only=True):
    """Memory pressure, and io beside it."""

    some: Stall
    full: Stall
    io: IoPressure


def parse(samples: Samples, _readings: Readings) -> PressureReading | Unavailable:
    """Reads what PSI there is: it needs 4.20, CONFIG_PSI and on some distributions psi=1."""
    problem = latest(samples, MEMORY).problem
    if problem:
        return _why(problem, answered=MEMORY in samples[0].answers)
    places = {"some": MEMORY, "full": MEMORY, "io.some": IO, "io.full": IO}
    stalls = {place: _stall(samples, key, place.removeprefix("io.")) for place, key in places.items()}
    found = {place: stall for place, (stall, _) in stalls.items()}
    if found["some"] == Stall():
        return Unavailable("failed", f"{MEMORY} holds no line of pressure")
    return PressureReading(
        some=found["some"],
        full=found["full"],
        io=IoPressure(some=found["io.some"], full=found["io.full"]),
        unavailable={
            f"{place}.{field}": why
            for place, (stall, why) in stalls.items()
            for field in Stall.__struct_fields__
            if why and getattr(stall, field) is None
        },
    )


def _why(problem: Unavailable, *, answered: bool) -> Unavailable:
    if problem.reason == "absent":
        return Unavailable("absent", "no PSI: a kernel before 4.20, built without it, or started without psi=1")
    if problem.reason == "failed" and answered:
        return Unavailable("absent", "PSI is switched off: its files cannot be read; the kernel wants psi=1")
    return problem


def _stall(samples: Samples, key: str, kind: str) -> tuple[Stall, Unavailable | None]:
    """One line over all samples; why its percentage or the whole line is missing."""
    texts = [(sample.before, sample.text(key) or "") for sample in samples]
    lines = [(at, columns) for at, text in texts for columns in _LINE.findall(text) if columns[0] == kind]
    if not lines:
        return Stall(), latest(samples, key).problem
    (start, first), (end, last) = lines[0], lines[-1]
    percent = _percent(end - start, int(last[4]) - int(first[4]))
    avg10, avg60, avg300 = (float(average) for average in last[1:4])
    if isinstance(percent, Unavailable):
        return Stall(None, avg10, avg60, avg300), percent
    return Stall(percent, avg10, avg60, avg300), None


def _percent(seconds: float, waited: int) -> float | Unavailable:
    if seconds < LEAST_SECONDS:
        return ONE_SAMPLE
    return WENT_DOWN if waited < 0 else min(100.0 * waited / MICROSECONDS / seconds, 100.0)


FACT = Fact(
    reading=PressureReading,
    parse=parse,
    asks=(Read(MEMORY, each=True), Read(IO, each=True)),
    meaning="pressure stall information (PSI) of memory and io",
    history=(Figure("some.avg300"), Figure("full.avg300")),
)

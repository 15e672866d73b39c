"""A fact: what it asks of a host, and a pure parser of the answers.

A fact is one file in `facts/` that defines `FACT`; the file's name is the first part of its metrics' names.
The fields of its reading *are* the metrics: `Annotated[int, Doc("meaning", Unit.BYTES, "/proc/meminfo MemAvailable")]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from memrunbook.core.reading.figures import Kept
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.units import Unit

Reason = Literal["absent", "denied", "timeout", "failed", "not yet"]


class Unavailable(Struct, frozen=True, tag=True):
    """A value that could not be had. Only `absent` says that the host does not offer it; the others are unknown.

    What is `not yet` known did not fail: it needs more readings than there are.
    """

    reason: Reason
    why: str


@dataclass(frozen=True)
class Doc:
    """What a metric means, what it counts and where the kernel or tool says so.

    `alias` is vmstat's word for it. `kept` stays in the journal beside the diagnosis, for the report: what a host says
    of it only once.
    """

    meaning: str
    unit: Unit = Unit.NONE
    source: str = ""
    alias: str = ""
    kept: bool = False


class Cut(Struct, frozen=True):
    """A list that does not hold all there is: `why` says in words what was left out, and of how many.

    `below` bounds what was left out, by field of the items: each of them has at least 0 and less than so much there. A
    condition that asks for more is judged; any other is unknown unless what was seen decides it. `least` says in the
    same way how much each has at least. `among` holds, by field, all the whole numbers that it may have there: no item
    with another one was left out.
    """

    why: str
    below: dict[str, float] = {}
    least: dict[str, float] = {}
    among: dict[str, tuple[int, ...]] = {}


class Reading(Struct, frozen=True, kw_only=True):
    """What a fact says of a host. A field that is None could not be had; `unavailable` says why (default: absent).

    `cut` names the lists that do not hold all there is, by the field's path.
    """

    unavailable: dict[str, Unavailable] = {}
    cut: dict[str, Cut] = {}


@dataclass(frozen=True)
class Read:
    """A file (or a shell pattern of files) read with shell built-ins; answered under its path.

    `lines` stops after so many lines (0 = all): built-ins read byte by byte. `each` reads it at every sample.
    Never a sysctl: dash and busybox get only the first digit of those.
    """

    path: str
    lines: int = 0
    each: bool = False


@dataclass(frozen=True)
class Whole:
    """A file (or pattern) that built-ins cannot read (sysctls, slabinfo): one `awk` reads all of these.

    Answered under its path.
    """

    path: str


@dataclass(frozen=True)
class Walk:
    """A constant script of shell built-ins; what it prints is answered under `name`.

    `again` is what later samples run instead, in the same shell: functions and variables of `script` are there. With
    `each` and without `again` they run the script once more.
    """

    name: str
    script: str
    each: bool = False
    again: str = ""


@dataclass(frozen=True)
class Detail:
    """More about what a walk found: awk statements for each line (`item`) of shell variables that it left.

    `items` names them as the shell does ("$a $b"). It shares the process of `Whole`: reading hundreds of small files
    costs a tenth there of what built-ins take. What it prints is answered under `name`; `show(word, file)` prints the
    first line of a file behind a word. A file that cannot be read although it can be opened ends mawk: ask for none of
    which that is known.
    """

    name: str
    items: str
    program: str


@dataclass(frozen=True)
class Command:
    """A known reader (`systemctl show …`), one process each; its output is answered under `name`.

    `newest` keeps so many of its last lines (0 = all), which `tail`, a second process, cuts off on the host.
    `unless` is a condition of shell built-ins: where it holds the program is not started, and the answer is NOT_ASKED.
    Once such a program has answered in this shell, the condition finds $probe_told set. It goes without `newest`.
    """

    name: str
    argv: tuple[str, ...]
    newest: int = 0
    unless: str = ""


NOT_ASKED = "not asked"
"""The line that stands for a program's output where it was not started."""
Question = Read | Whole | Walk | Detail | Command


class Answer(Struct, frozen=True):
    """What the host said to one question: text, or why there is none."""

    text: str = ""
    problem: Unavailable | None = None


class Sample(Struct, frozen=True):
    """All answers of one moment, with the host's uptime in seconds before and after they were read."""

    before: float
    after: float
    answers: dict[str, Answer]
    complete: bool = True

    def get(self, key: str) -> Answer:
        """The answer to a question; one that was never answered is `failed`."""
        return self.answers.get(key) or Answer(problem=Unavailable("failed", f"{key}: no answer"))

    def text(self, key: str) -> str | None:
        """The text of an answer, None where there is none."""
        found = self.answers.get(key)
        return found.text if found and found.problem is None else None

    def matching(self, prefix: str, suffix: str = "") -> dict[str, Answer]:
        """The answers whose keys begin and end so: the files of a pattern."""
        return {k: v for k, v in self.answers.items() if k.startswith(prefix) and k.endswith(suffix)}


Samples = tuple[Sample, ...]


class EarlierReadings(Struct, frozen=True):
    """What is known of a host up to a reading at `at` (seconds since 1970): its series, and what that reading says.

    `boot` is the life of what lives as long as the host. `problem` says why no series could be had; empty where they
    could, though there may be none yet.
    """

    at: float
    readings: Mapping[str, Reading | Unavailable] = {}
    series: tuple[Series, ...] = ()
    problem: str = ""
    boot: str = ""

    def of(self, kind: Kind, figure: str) -> Iterator[tuple[str, tuple[Observation, ...]]]:
        """Name and points of each holder of a kind that has this figure."""
        return ((one.name, one.points) for one in self.series if one.kind == kind and one.figure == figure)


@dataclass(frozen=True)
class Fact:
    """A question to a host and the pure function that reads the answers.

    `parse(samples, readings)` gets one sample or more (the first holds every answer, later ones only those asked with
    `each`) and the readings of the facts in `needs`; it returns its own reading or why there is none. It never
    raises, whatever the bytes.

    `follow` says from the readings of `needs` what to ask once more, when all samples are taken: what costs too much to
    be asked of every process or on every host. The answers are in the last sample that `parse` gets.

    `recall(reading, earlier)` completes a reading by what is known of the host from earlier ones. Pure, as `parse` is:
    what it says is part of the reading, and so of the journal.

    `in_runs`: only a run asks it, to see what moves meanwhile; other facts tell a diagnosis the same.
    `history` is what is kept of each reading, so that later ones can be held against it.
    """

    reading: type[Reading]
    parse: Callable[[Samples, Mapping[str, Reading | Unavailable]], Reading | Unavailable]
    asks: tuple[Question, ...]
    needs: tuple[str, ...] = ()
    meaning: str = ""
    recall: Callable[[Any, EarlierReadings], Reading] | None = None
    follow: Callable[[Mapping[str, Reading | Unavailable]], tuple[Question, ...]] | None = None
    in_runs: bool = False
    history: tuple[Kept, ...] = ()

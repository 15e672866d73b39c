"""A chaos from its beginning to its end: runs on a stage, misfortunes meanwhile, and what came of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.evidence import gathered, wait_for_workers, wait_until_idle
from bench.chaos.fronts import Fronts, wanted
from bench.chaos.misfortunes import Chaos
from bench.chaos.stage import STALLED_AFTER, stage
from bench.chaos.verdict import Evidence, Wrong, judged

BEGIN_SECONDS, IDLE_SECONDS, END_SECONDS = 240.0, 240.0, 90.0


@dataclass(frozen=True)
class Course:
    """How large a chaos is; `fronts` are at work at once, a part as large as `kill_fronts` of them is killed.

    Misfortunes come by `pace` slower than usual. After `loses` seconds a node is lost with its state directory, and is
    back at the end; 0: none is. After so many `seconds` no run is begun any more, and no misfortune comes. A
    worker that is silent for `stalled_after` seconds is taken for dead.
    """

    runs: int
    hosts: int
    workers: int
    seed: int
    fronts: int = 8
    kill_fronts: float = 0.0
    pace: float = 1.0
    loses: float = 60.0
    seconds: float = 86400.0
    stalled_after: float = STALLED_AFTER


@dataclass(frozen=True)
class Result:
    """What came of it."""

    course: Course
    evidence: Evidence
    wrong: list[Wrong]
    misfortunes: Counter[str]
    seconds: float

    def table(self) -> Iterator[str]:
        """The figures, a line each."""
        found, course = self.evidence, self.course
        lines = [line.split() for all_ in found.lines.values() for line in all_]
        yield f"| runs, hosts, workers | {len(found.fronts)}, {course.hosts}, {course.workers} |"
        yield f"| parts, attempts | {len(found.parts)}, {sum(part.attempt for part in found.parts)} |"
        yield f"| steps begun, ended | {_of(lines, 'begun')}, {_of(lines, 'ended')} |"
        yield f"| misfortunes | {_counted(self.misfortunes)} |"
        yield f"| outcomes | {_counted(Counter(one.outcome for run in found.fronts for one in run.told.values()))} |"
        states = Counter(state for run in found.fronts for one in run.told.values() for state in one.steps.values())
        yield f"| steps told | {_counted(states)} |"
        yield f"| wrong | {_counted(Counter(one.kind for one in self.wrong)) or 'nothing'} |"
        yield f"| seconds | {self.seconds:.0f} |"


def carried_out(course: Course, folder: Path, say: Callable[[str], object]) -> Result:
    """Carries it out in a folder of its own; `say` is told of each misfortune and of each end, with its time."""
    began = time.monotonic()

    def told(words: str) -> None:
        say(f"{time.monotonic() - began:7.1f} {words}")

    with stage(folder, course.hosts, course.workers, course.stalled_after) as there:
        wait_for_workers(there, BEGIN_SECONDS)
        chaos = Chaos(there, course.seed, told, course.pace, course.loses, course.seconds)
        thread = threading.Thread(target=chaos.run, name="chaos")
        fronts = Fronts(there, course.fronts, told)
        thread.start()
        try:
            ends = fronts.run(wanted(course.seed, course.runs, course.hosts, course.kill_fronts), course.seconds)
        finally:
            chaos.end(thread)
        told("every run has ended")
        idle = wait_until_idle(there, IDLE_SECONDS)
        hang = [node.name for node in there.nodes if node.end(END_SECONDS) is None]
        evidence = gathered(there, ends)
        wrong = judged(evidence)
        wrong += [Wrong("died", f"{name} ended by itself: see its log") for name in chaos.died]
        wrong += [] if idle else [Wrong("hangs", f"work is left after {IDLE_SECONDS:.0f} s")]
        wrong += [Wrong("hangs", f"{name} does not stop: see its log") for name in hang]
        return Result(course, evidence, wrong, chaos.counted, time.monotonic() - began)


def _of(lines: list[list[str]], event: str) -> int:
    return sum(words[:1] == [event] for words in lines)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())

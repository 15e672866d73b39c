"""The end of a dry run on many hosts: who has steps to run, who has none, who was not read."""

from __future__ import annotations

from msgspec import structs
from tests.golden import samples as s
from tests.golden.fleet_pages import CALM, thrashing

from memrunbook.core.errors import Interrupted, Unreachable
from memrunbook.core.host import Host
from memrunbook.core.plan.diagnosis import RunbookDiagnosis
from memrunbook.core.plan.judged import Planned
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.reading.reached import Reached
from memrunbook.ui.layout import lay_out
from memrunbook.ui.plans import plans_view


def planned(name: str, entry: RunbookDiagnosis, *steps: PlannedStep) -> Planned:
    return Planned(Reached(Host(name), s.snapshot(name)), entry, structs.replace(s.plan(*steps), host=name))


def page(*hosts: Planned, command: str = "") -> list[str]:
    return ["".join(span.text for span in line).rstrip() for line in lay_out(plans_view(hosts, command), None)]


def test_the_worst_comes_first_and_everybody_has_a_line() -> None:
    gone = Planned(Reached(Host("a"), error=Unreachable("gone", hint="look at it")))
    stopped = Planned(Reached(Host("b"), error=Interrupted("not begun")))
    calm = planned("c", CALM, s.NOT_RUN[1])
    ill = planned("d", thrashing(s.SUSPECT))
    assert page(calm, gone, stopped, ill, command="runbook run x") == [
        "All hosts: 4 hosts, 1 with steps to run, 2 not read",
        "  CRITICAL  d  search-api.service holds 38.2 GiB, 2.0 GiB more in swap, and grows 210 MiB/min; 3 steps to run",
        "  UNKNOWN   a  not reached: gone",
        "               hint: look at it",
        "  UNKNOWN   b  interrupted: not begun",
        "  OK        c  memory-leak does not apply to c; nothing to do",
        "To carry them out:  runbook run x",
    ]


def test_without_steps_there_is_no_command() -> None:
    blocked = planned("d", thrashing(s.SUSPECT), s.NOT_RUN[0])
    assert page(blocked)[0] == "All hosts: 1 host, 1 with steps that are all blocked"
    assert page(planned("c", CALM, s.NOT_RUN[1])) == [
        "All hosts: 1 host, none with a step to run",
        "  OK  c  memory-leak does not apply to c; nothing to do",
    ]

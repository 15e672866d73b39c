"""The page of `runbook diagnose` over many hosts: healthy ones, several in one trouble, one in another, and so on."""

from __future__ import annotations

from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.errors import HostKeyError, Interrupted, RunbookError, Unreachable
from memrunbook.core.host import Host
from memrunbook.core.plan.diagnosis import Diagnosis, RunbookDiagnosis, Suspect
from memrunbook.core.plan.headline import Headline, headline
from memrunbook.core.plan.judged import Judged, Planned
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.plan.ranking import Alike, ranked
from memrunbook.core.ranges import compact
from memrunbook.core.reading.reached import Reached
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.condition import Verdict
from memrunbook.core.units import GIB, MIB
from memrunbook.ui.block import BLANK, Block
from memrunbook.ui.fleet import fleet_view
from memrunbook.ui.plans import plans_view

CALM = structs.replace(s.LEAK, findings=(), causes=(), incident=Verdict("fails"))
BLIND = s.runbook_diagnosis("unknown", findings=(s.AT_LIMIT,), causes=())
REMARKS = structs.replace(s.LEAK, findings=s.LEAK.findings[1:], causes=(), severity="info")


def grower(held: float, swapped: float, growth: float, name: str = s.GROWER) -> Suspect:
    """A service that holds so many GiB, as many more in swap, and grows so many MiB a minute."""
    facts = {
        "anonymous_bytes": int(held * GIB),
        "swap_bytes": int(swapped * GIB),
        "growth_bytes_per_second": growth * MIB / 60,
    }
    return Suspect("unit", name, held, facts)


def thrashing(suspect: Suspect) -> RunbookDiagnosis:
    return s.runbook_diagnosis(causes=(suspect,))


def read(name: str, *entries: RunbookDiagnosis, snapshot: Snapshot | None = None) -> Headline:
    """A host of which runbooks say this."""
    primary = next((entry.runbook for entry in entries if entry.incident.holds), "")
    found = Diagnosis(name, entries, primary)
    return headline(Judged(Reached(Host(name), snapshot or s.snapshot(name)), found))


def away(name: str, error: RunbookError) -> Headline:
    """A host that was not read."""
    return headline(Judged(Reached(Host(name), error=error)))


SILENT = Unreachable(
    "no answer at TCP port 22 in 10 s",
    where="db7",
    hint="the host is down or hangs, or a firewall drops the packets: look at its console",
)
CHANGED = HostKeyError("the host key has changed: SHA256:abc", hint="if that is right: ssh-keygen -R db9.example.com")
HOSTS = (
    *(read(f"web{number:02}", CALM) for number in range(4, 15)),
    read("web01", thrashing(grower(38.2, 2.0, 210))),
    read("web02", thrashing(grower(2.1, 0, 20))),
    read("web03", thrashing(grower(12.0, 0.5, 80.4))),
    read("cache-1.rack-12.frankfurt.example.com", s.LEAK),
    read("db8", BLIND),
    away("db7", SILENT),
    read("db10", REMARKS, s.TUNING),
    read("db9", REMARKS),
    away("db9.example.com", CHANGED),
)
WORKERS = [
    *(read(f"w{number}", thrashing(grower(4 * number, 0, 0, f"worker@{number}.service"))) for number in (1, 2, 3, 5)),
    *(away(name, Interrupted("not begun")) for name in ("a", "b")),
]


def command(group: Alike) -> str:
    """What the command would print."""
    named = ",".join(compact(one.name for one in group.hosts))
    return f"runbook plan swap-thrashing --host '{named}' -i hosts" if group.first.incident else ""


def fleet_pages() -> list[Block]:
    """A fleet, one after Ctrl-C and switched off, one that nobody could judge, a healthy one."""
    pages: list[Block] = []
    for hosts, off in (
        (HOSTS, ""),
        (WORKERS, "changes are switched off: maintenance"),
        (HOSTS[15:17], ""),
        (HOSTS[:11], ""),
    ):
        ranking = ranked(hosts)
        pages += [*fleet_view(ranking, [command(group) for group in ranking.groups], off), BLANK]
    return pages


def plans_page() -> list[Block]:
    """The table at the end of a dry run on many hosts."""

    def planned(name: str, entry: RunbookDiagnosis, *steps: PlannedStep) -> Planned:
        return Planned(Reached(Host(name), s.snapshot(name)), entry, structs.replace(s.plan(*steps), host=name))

    hosts = [
        planned("web10", CALM, s.NOT_RUN[1]),
        planned("web2", thrashing(grower(2.1, 0, 20))),
        planned("web3", thrashing(grower(12.0, 0.5, 80)), s.NOT_RUN[0]),
        planned("web4", BLIND, s.NOT_RUN[1]),
        Planned(Reached(Host("db7"), error=SILENT)),
    ]
    long = [*hosts, planned("cache-1.rack-12.frankfurt.example.com", s.LEAK, s.NOT_RUN[1])]
    return [*plans_view(hosts, "runbook run swap-thrashing --host web2"), BLANK, *plans_view(long[-1:], "")]

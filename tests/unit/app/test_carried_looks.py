"""What of a diagnosis is carried for a line: also what only decides which finding stands there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from memrunbook.app.carried_looks import pack_judged, unpack_judged
from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.plan.diagnosis import Diagnosis, Finding, RunbookDiagnosis, Suspect
from memrunbook.core.plan.headline import HELD, headline
from memrunbook.core.plan.judged import Judged
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.reached import Reached
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.condition import Evidence, EvidenceItem, State, Verdict
from memrunbook.facts.holds import Hold, Holds
from memrunbook.facts.host import HostReading

HOST = Host("web01", site="fra-1")
IDENTITY = HostIdentity(machine_id="m", boot_id="b")
UNITS = "units.all"


def finding(runbook: str, check: str, severity: str, *items: str, decides: bool = False, fires: bool = True) -> Finding:
    """One about a list, and about three figures of its own."""
    units = Evidence(UNITS, len(items), "", items=tuple(EvidenceItem(name) for name in items))
    own = (Evidence(f"{check}.{number}", number, "bytes") for number in range(3))
    return Finding(
        runbook,
        check,
        check,
        "firing" if fires else "clear",
        severity,
        (units, *own),
        "",
        "explained",
        (UNITS,),
        decides,
    )


def entry(state: State, *findings: Finding, causes: tuple[Suspect, ...] = ()) -> RunbookDiagnosis:
    runbook = findings[0].runbook
    worst = "critical" if state == "holds" else "warning"
    return RunbookDiagnosis(runbook, runbook.title(), findings, Verdict(state, why="so"), worst, causes)


def judged(*entries: RunbookDiagnosis, **more: Reading) -> Judged:
    readings: dict[str, Reading | Unavailable] = {
        "slab": Unavailable("denied", "no root"),
        "swap": Unavailable("failed", "cut off"),
        **more,
    }
    snapshot = Snapshot(HOST.name, IDENTITY, Instant(1.8e9, 5.0), readings)
    return Judged(Reached(HOST, snapshot), Diagnosis(HOST.name, entries, "one"))


def carried(one: Judged, *, printed: bool = False) -> Judged:
    return unpack_judged(pack_judged(one, "", full=False, printed=printed), HOST)[0]


def test_that_somebody_holds_an_incident_back_is_carried_although_it_does_not_fire() -> None:
    held = judged(entry("holds", finding("one", HELD, "info", decides=True, fires=False)))
    other = judged(entry("holds", finding("one", "other", "info", decides=True, fires=False)))
    for one, is_held in ((held, True), (other, False)):
        said = headline(carried(one))
        assert said == headline(one)
        assert said.incident is not None
        assert said.incident.held is is_held


def test_by_the_items_that_are_carried_another_finding_is_held_to_say_more() -> None:
    """Two runbooks name the same list: whether they name the same of it tells whether the milder one is told."""
    louder = finding("one", "full", "critical", "api.service", decides=True)
    for named, told in (("api.service", ()), ("db.service", ("near",))):
        mild = finding("two", "near", "info", named)
        one = judged(entry("holds", louder), entry("fails", mild))
        assert headline(one).remarks == told
        assert headline(carried(one)) == headline(one)


def test_of_figures_and_causes_only_those_are_carried_that_stand_in_the_line() -> None:
    cause, other = Suspect("unit", "api.service", 3.0, {"pids": 4}), Suspect("unit", "db.service", 1.0)
    worst, second = finding("one", "full", "critical", "a"), finding("two", "near", "warning", "b")
    one = judged(entry("fails", worst, causes=(cause, other)), entry("fails", second, causes=(other,)))
    again = carried(one)
    assert headline(again) == headline(one)
    assert headline(again).finding == worst
    assert headline(again).culprit == cause
    assert again.diagnosis is not None
    assert [len(found.causes) for found in again.diagnosis.runbooks] == [1, 0]
    assert again.diagnosis.runbooks[1].findings[0].explain == ""


def test_what_may_not_be_read_is_counted_and_who_the_host_is_goes_where_it_is_printed() -> None:
    one = judged(entry("fails", finding("one", "full", "info", fires=False)))
    line, document = carried(one).reached.snapshot, carried(one, printed=True).reached.snapshot
    assert line is not None
    assert document is not None
    assert line.readings == {"slab": Unavailable("denied", "")}
    assert headline(carried(one)).denied == 1
    assert (line.identity, document.identity) == (HostIdentity(), IDENTITY)
    assert carried(one).reached.host == HOST


def test_what_is_held_and_switched_off_on_the_host_is_carried() -> None:
    held = Holds(all=[Hold(name="api.service", kind="frozen")])
    for stopped in ("", "/etc/no-changes says: an audit"):
        host = HostReading(uptime_seconds=9.0, switched_off=stopped, unavailable={"uid": Unavailable("denied", "")})
        one = judged(entry("fails", finding("one", "full", "info")), holds=held, host=host)
        said = headline(carried(one))
        assert said == headline(one)
        assert (said.denied, len(said.held), stopped in said.switched_off) == (2, 1, True)


def test_many_threads_unpack_at_once() -> None:
    one = judged(entry("holds", finding("one", "full", "critical", "a", decides=True)))
    content = pack_judged(one, "a drill", full=True)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: unpack_judged(content, HOST), range(64)))
    assert found == [(one, "a drill")] * 64

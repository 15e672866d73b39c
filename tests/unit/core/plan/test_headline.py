"""What stands first of a host: what applies, what is worse, who is behind it, what could not be judged or reached."""

from __future__ import annotations

from msgspec import structs
from tests.golden import samples as s
from tests.golden.fleet_pages import BLIND, CALM, REMARKS, away, read

from memrunbook.core.errors import HostKeyError, Interrupted
from memrunbook.core.plan.headline import HELD, culprit, denied_facts
from memrunbook.core.reading.fact import Reading, Unavailable

DENIED = Unavailable("denied", "permission denied")


def test_an_incident_stands_before_milder_findings() -> None:
    one = read("a", s.runbook_diagnosis(), s.LEAK)
    assert (one.word, one.outcome) == ("CRITICAL", "judged")
    assert one.incident is not None
    assert (one.incident.runbook, one.incident.title) == ("swap-thrashing", "Swap thrashing")
    assert one.incident.suspect == s.SUSPECT
    assert one.finding is None


def test_a_finding_that_is_worse_than_what_applies_stands_first() -> None:
    one = read("a", s.SHORTAGE, structs.replace(s.runbook_diagnosis("fails"), findings=(s.THRASHING,)))
    assert one.word == "CRITICAL"
    assert one.finding == s.THRASHING
    assert one.culprit == s.SUSPECT
    assert one.incident is not None
    assert one.incident.runbook == "memory-shortage"


def test_what_applies_by_a_hold_alone_is_held() -> None:
    held = structs.replace(s.THRASHING, check=HELD, decides=True)
    entry = s.runbook_diagnosis(findings=(held, s.SWAPPINESS), causes=())
    one = read("a", entry)
    assert one.incident is not None
    assert one.incident.held
    assert one.incident.worst == held.name
    assert not read("a", s.runbook_diagnosis()).incident.held  # type: ignore[union-attr]


def test_what_was_not_judged_is_never_ok() -> None:
    one = read("a", BLIND)
    assert (one.word, one.outcome, one.unjudged) == ("UNKNOWN", "not-judged", ("swap-thrashing",))


def test_a_healthy_host_has_remarks_and_tuning_counted_apart() -> None:
    one = read("a", REMARKS, s.TUNING)
    assert (one.word, one.remarks, one.tuning) == ("OK", ("A service is large",), 1)
    calm = read("a", CALM)
    assert (calm.word, calm.remarks, calm.tuning) == ("OK", (), 0)


def test_why_a_host_was_not_read_is_kept_without_the_error() -> None:
    one = away("a", HostKeyError("the host key has changed", hint="ssh-keygen -R a"))
    assert (one.word, one.outcome) == ("UNKNOWN", "unreachable")
    assert (one.why, one.hint) == ("the host key has changed", "ssh-keygen -R a")
    assert away("a", Interrupted("not begun")).outcome == "interrupted"


def test_denied_facts_are_counted_whole_or_in_part() -> None:
    part = Reading(unavailable={"zones": DENIED})
    readings = {"oom": DENIED, "slab": part, "memory": Reading(), "thp": Unavailable("absent", "no")}
    assert denied_facts(structs.replace(s.snapshot(), readings=readings)) == 2
    held = structs.replace(s.snapshot(), readings={"holds": s.HELD})
    assert len(read("a", CALM, snapshot=held).held) == 3


def test_nobody_is_behind_a_remark() -> None:
    remark = s.LEAK.findings[1]
    assert culprit(remark, [s.SUSPECT]) is None
    setting = structs.replace(s.SUSPECT, kind="setting")
    assert culprit(remark, [setting]) == setting
    assert culprit(s.THRASHING, [s.SUSPECT]) == s.SUSPECT
    assert culprit(s.THRASHING, []) is None

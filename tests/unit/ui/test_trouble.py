"""Several hosts in one sentence: figures are ranges, names stay where they are the same, nothing unknown is hidden."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import structs
from tests.golden import samples as s
from tests.golden.fleet_pages import BLIND, grower, read, thrashing

from memrunbook.core.plan.diagnosis import Finding, Suspect
from memrunbook.core.plan.headline import Headline
from memrunbook.core.runbook.condition import Evidence
from memrunbook.core.runbook.named import EvidenceItem
from memrunbook.core.units import GIB, MIB
from memrunbook.ui.block import Text
from memrunbook.ui.suspects import sentence
from memrunbook.ui.trouble import noticed_words, trouble_words, unjudged_words
from memrunbook.ui.words import range_words


def said(content: Text) -> str:
    return "".join(span.text for span in content)


def noticed(*findings: Finding, by: Sequence[Suspect] = ()) -> str:
    return said(noticed_words(findings, by))


def naming(*items: EvidenceItem, more: int = 0) -> Finding:
    line = Evidence("units.growing", len(items), "count", items=items, more=more)
    return structs.replace(s.LEAK.findings[0], evidence=(line,))


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        ("2.1 GiB", "38.2 GiB", "2.1-38.2 GiB"),
        ("2.1 GiB", "2.1 GiB", "2.1 GiB"),
        ("412.0 MiB", "38.2 GiB", "412.0 MiB to 38.2 GiB"),
        ("1,204 MiB/min", "2,000 MiB/min", "1,204-2,000 MiB/min"),
        ("-3.0 %", "4.0 %", "-3.0 % to 4.0 %"),
        ("2 h", "2 h 10 min", "2 h to 2 h 10 min"),
        ("3", "12", "3-12"),
        ("no", "yes", "no to yes"),
    ],
)
def test_a_range_is_short_where_the_unit_is_one(least: str, most: str, words: str) -> None:
    assert range_words(least, most) == words


def test_the_figures_of_several_suspects_are_a_range() -> None:
    assert sentence(grower(2.1, 0.5, 20), grower(38.2, 2, 210)) == (
        "holds 2.1-38.2 GiB, 512.0 MiB to 2.0 GiB more in swap, and grows 20-210 MiB/min"
    )
    assert sentence(grower(2, 0, 0), grower(2, 0, 30)) == "holds 2.0 GiB and grows up to 30 MiB/min"
    assert sentence(grower(0, 0, 0), grower(0, 0, 0)) == "is the likely cause"


def hosts(*entries: Headline) -> str:
    return said(trouble_words(entries, f"{len(entries)} hosts", "runbook plan x"))


def test_an_incident_of_several_hosts_is_one_sentence() -> None:
    two = [read(f"w{n}", thrashing(grower(2 * n, 0, 0, f"app@{n}.service"))) for n in (1, 2)]
    assert hosts(*two) == "swap thrashing on 2 hosts: app@*.service holds 2.0-4.0 GiB; next: runbook plan x"
    assert said(trouble_words(two)) == "swap thrashing: app@*.service holds 2.0-4.0 GiB"
    nobody = read("a", s.SHORTAGE)
    assert said(trouble_words([nobody])) == "memory shortage: little memory is available"


def test_what_no_runbook_cures_says_so_and_what_was_not_judged_is_told() -> None:
    blind = structs.replace(BLIND, runbook="oom-event")
    seen, half = read("a", s.LEAK), read("b", s.LEAK, blind)
    one = said(trouble_words([half]))
    assert one.endswith("; no runbook cures it; oom-event could not be judged")
    assert said(trouble_words([seen, half])).endswith("; oom-event could not be judged on 1 of them")


def test_a_worse_finding_stands_before_what_applies() -> None:
    worse = structs.replace(s.runbook_diagnosis("fails"), findings=(s.THRASHING,), causes=())
    one = read("a", s.SHORTAGE, worse)
    words = said(trouble_words([one, one], "2 hosts"))
    assert words.startswith("swap is read and written at the same time on 2 hosts: swap in at least 4.7 MiB/s")
    assert "; memory shortage on 2 hosts: little memory is available" in words


def test_whom_findings_name_is_listed_by_kind() -> None:
    first = EvidenceItem("app@1.service", value=2 * GIB, unit="bytes")
    other = EvidenceItem("app@2.service", value=3 * GIB, unit="bytes")
    java = EvidenceItem("java", pid=812)
    assert noticed(naming(first, java), naming(other, structs.replace(java, pid=9), more=2)) == (
        "a service grows all the time: app@*.service (2.0-3.0 GiB), java, up to 2 more"
    )
    assert noticed(naming(java)) == "a service grows all the time: java (pid 812)"


def test_figures_without_a_culprit_are_ranges_and_what_is_no_number_is_left_out() -> None:
    def low(percent: float, kernel: str) -> Finding:
        evidence = (Evidence("memory.available_percent", percent, "%"), Evidence("host.kernel", kernel, ""))
        return structs.replace(s.SHORTAGE.findings[0], evidence=evidence)

    assert noticed(low(3.1, "a"), low(2.5, "b")) == "little memory is available: memory available 2.5-3.1 %"


def test_what_nobody_could_judge_says_why() -> None:
    denied = structs.replace(s.snapshot(), no_root="sudo: a password is required")
    two = [read("a", BLIND, snapshot=denied), read("b", BLIND, snapshot=denied)]
    assert said(unjudged_words(two, "them")) == (
        "sudo on them wants a password: 1 fact was not read; no incident is proven on them, "
        "but swap-thrashing could not be judged"
    )
    assert said(unjudged_words([read("a", BLIND)], "a")).startswith("no incident is proven on a, but")


def test_faults_have_a_range_too() -> None:
    suspects = [Suspect("process", "x", 1.0, {"major_faults_per_second": rate, "bytes": MIB}) for rate in (20.0, 90.0)]
    assert sentence(*suspects) == "holds 1.0 MiB, has 20-90 major faults/s"

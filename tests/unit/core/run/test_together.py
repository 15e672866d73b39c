"""Several hosts in the same trouble are one message."""

from __future__ import annotations

from memrunbook.core.run.notification import Notification
from memrunbook.core.run.together import SHOWN_HOSTS, together


def one(host: str, *, occasion: str = "failed", command: str = "runbook report R1", run: str = "R1") -> Notification:
    return Notification(
        occasion=occasion,  # type: ignore[arg-type]
        key=f"{occasion} book {host}",
        at=5.0,
        verdict=f"{host}: book: failed",
        host=host,
        runbook="book",
        run=run,
        evidence=("a line",),
        command=command,
    )


def report_of(run: str) -> str:
    return f"runbook report {run} --state-dir /s"


def test_one_host_is_told_as_it_is() -> None:
    assert together([one("web1")], report_of) == [one("web1")]
    assert together([], report_of) == []


def test_several_are_one_message_with_the_first_of_them() -> None:
    hosts = [f"web{n:02}" for n in range(1, 15)]
    [joined] = together([one(host) for host in hosts], report_of)
    assert joined.verdict == "14 hosts (web[01:14]): a run failed: book"
    assert joined.evidence == (*(f"{host}: book: failed" for host in hosts[:SHOWN_HOSTS]), "and 4 more hosts")
    assert (joined.host, joined.command) == ("", "runbook report R1")


def test_its_key_is_the_same_for_the_same_hosts_in_any_order_and_another_for_others() -> None:
    keys = [
        together([one(host) for host in hosts], report_of)[0].key for hosts in (("a", "b"), ("b", "a"), ("a", "b", "c"))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_each_command_is_told_where_they_are_not_the_same() -> None:
    [joined] = together([one("a", command="runbook apply 1"), one("b", command="runbook apply 2")], report_of)
    assert joined.evidence == ("a: book: failed", "  runbook apply 1", "b: book: failed", "  runbook apply 2")
    assert joined.command == "runbook report R1 --state-dir /s"


def test_another_occasion_another_run_and_what_is_about_no_host_stand_alone() -> None:
    apart = [one("a"), one("b", occasion="unreachable"), one("c", run="R2"), one("", run=""), one("", run="")]
    assert len(together(apart, report_of)) == 5

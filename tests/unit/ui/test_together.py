"""One answer for several hosts: no change goes through that no yes covers, and each covered host was named."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.action.action import Risk, Undo
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.ui.approve import TerminalApprover
from memrunbook.ui.screen import Screen
from memrunbook.ui.together import Together

BATCHES = (("web1",), ("web2", "web3", "web4"), ("web5", "web6"))
HOSTS = tuple(host for batch in BATCHES for host in batch)
LOW = structs.replace(s.SYSCTL, identity="", risk=Risk.LOW)


def question(host: str, *, value: str = "10", risk: Risk = Risk.LOW) -> AskApproval:
    """The same on each host but for who it is."""
    change = structs.replace(LOW, identity=f"boot of {host}", args=("vm.swappiness", value), risk=risk)
    return AskApproval(s.step(change), s.NOW)


class Person:
    """Types what it is told, and notes at which hosts' gates it was asked."""

    def __init__(self, batches: tuple[tuple[str, ...], ...] = BATCHES, over: Collection[str] = ()) -> None:
        self.stream, self.keys = io.StringIO(), list[str]()
        hosts = tuple(host for batch in batches for host in batch)
        screen, together = Screen("never", self.stream), Together(batches, over)
        read: Callable[[], str] = lambda: f"{self.keys.pop(0)}\n" if self.keys else ""  # noqa: E731
        self.approver = TerminalApprover(screen, read, lambda: s.NOW, "ada", hosts, {}, together)

    def asked(self, host: str, question: AskApproval, *keys: str) -> tuple[Approval, str]:
        """The answer, and what was shown for it: nothing where nobody was asked."""
        before, self.keys = len(self.stream.getvalue()), list(keys)
        return self.approver.approve(host, question), self.stream.getvalue()[before:]


def test_one_answer_is_for_the_hosts_of_the_batch_that_were_named() -> None:
    person = Person()
    first, shown = person.asked("web2", question("web2"), "a")
    assert (first.answer, first.why) == ("yes", "said for web2, web3, web4 at once")
    assert first.digest == question("web2").step.digest
    assert "a says yes to this very change on web2" in shown
    assert "web3, web4" in shown
    assert "y/N/a" in shown
    for host in ("web3", "web4"):
        covered, shown = person.asked(host, question(host))
        assert (covered.answer, covered.who, covered.how) == ("yes", "ada", "terminal")
        assert covered.why == f"said at the gate of web2 for {host} by name"
        assert covered.digest == question(host).step.digest
        assert not shown
    for host in ("web5", "web1"):
        assert person.asked(host, question(host))[0].answer == "no", "another batch is asked"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_too_each_host_that_is_covered_is_named() -> None:
    many = tuple(f"web-prod-eu-{number:03}" for number in range(60))
    stream = Terminal()
    screen = Screen("never", stream, {"TERM": "xterm"}, 80)
    TerminalApprover(screen, lambda: "n\n", lambda: s.NOW, "ada", many, {}, Together((many,))).approve(
        many[0], question(many[0])
    )
    shown = "".join(stream.getvalue().split())
    assert [name for name in many if name not in shown] == []


@pytest.mark.parametrize("keys", [("y",), ("n",), ("s",)])
def test_any_other_answer_is_for_its_host_alone(keys: tuple[str, ...]) -> None:
    person = Person()
    person.asked("web2", question("web2"), *keys)
    later, shown = person.asked("web3", question("web3"), "n")
    assert later.answer == "no"
    assert "web4" in shown
    assert "web2" not in shown.partition("For all")[2].partition("on:")[2], "it was asked already"


def test_another_change_or_step_or_what_moved_is_asked_about() -> None:
    person = Person()
    person.asked("web2", question("web2"), "a")
    others = [
        question("web3", value="20"),
        structs.replace(question("web3"), changed="it was: A; now: B"),
        structs.replace(question("web3"), limits=("enough",)),
        structs.replace(question("web3"), offered=True),
        structs.replace(question("web3"), step=structs.replace(question("web3").step, id="other")),
        question("web3", risk=Risk.MEDIUM),
    ]
    for other in others:
        assert person.asked("web3", other)[0].answer == "no"
    assert person.asked("web3", question("web3"))[0].answer == "yes"
    assert person.asked("web3", question("web3"))[0].answer == "no", "an answer is for one gate"


def test_a_host_on_which_nothing_more_is_done_is_not_named() -> None:
    over = {"web3"}
    person = Person(over=over)
    _, shown = person.asked("web2", question("web2"), "n")
    assert "web4" in shown
    assert "web3" not in shown
    over.add("web4")
    later, shown = person.asked("web2", question("web2", value="20"), "a", "a", "a")
    assert later.answer == "no"
    assert "For all" not in shown, "there is nobody else that it could be for"


UNDO = s.SYSCTL.undo or Undo("", "")
OTHERWISE = [
    {"undo": None},
    {"undo": structs.replace(UNDO, mode="offer")},
    {"undo": structs.replace(UNDO, lasting=True)},
    {"undo": structs.replace(UNDO, costs="what was cached")},
    {"costs": "reads from disk are slower"},
]


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_what_costs_more_or_is_taken_back_otherwise_is_asked_about(otherwise: dict[str, Any]) -> None:
    person = Person()
    person.asked("web2", question("web2"), "a")
    other = question("web3")
    change = structs.replace(other.step.change or LOW, **otherwise)
    assert (
        person.asked("web3", structs.replace(other, step=structs.replace(other.step, change=change)))[0].answer == "no"
    )
    assert person.asked("web4", question("web4"))[0].answer == "yes"


def test_what_is_proven_otherwise_is_asked_about_and_another_old_value_is_the_same_change() -> None:
    person = Person()
    person.asked("web2", question("web2"), "a")
    proven = structs.replace(question("web3"), step=structs.replace(question("web3").step, verify="false"))
    assert person.asked("web3", proven)[0].answer == "no"
    before = structs.replace(LOW, identity="boot of web4", args=("vm.swappiness", "10"))
    before = structs.replace(before, undo=structs.replace(UNDO, args=("vm.swappiness", "10", "30")))
    assert person.asked("web4", AskApproval(s.step(before), s.NOW))[0].answer == "yes"


@pytest.mark.parametrize("risk", [Risk.MEDIUM, Risk.HIGH])
def test_what_users_may_notice_is_asked_for_each_host(risk: Risk) -> None:
    answer, shown = Person().asked("web2", question("web2", risk=risk), "a", "a", "a")
    assert answer.answer == "no"
    assert "For all" not in shown
    assert "y/N/a" not in shown


@pytest.mark.parametrize(("batches", "host"), [(BATCHES, "web1"), ((("web1",),), "web1"), ((), "web1")])
def test_a_host_alone_in_its_batch_is_offered_nothing(batches: tuple[tuple[str, ...], ...], host: str) -> None:
    answer, shown = Person(batches).asked(host, question(host), "a", "a", "a")
    assert answer.answer == "no"
    assert "For all" not in shown


GATES = st.tuples(
    st.sampled_from(HOSTS),
    st.sampled_from(["10", "20"]),
    st.sampled_from([Risk.LOW, Risk.LOW, Risk.MEDIUM]),
    st.sampled_from(["y", "n", "a", ""]),
)


@given(st.lists(GATES, max_size=30))
def test_no_yes_that_nobody_gave(gates: list[tuple[str, str, Risk, str]]) -> None:
    person = Person()
    said: dict[tuple[str, str, Risk], set[str]] = {}
    for host, value, risk, key in gates:
        answer, shown = person.asked(host, question(host, value=value, risk=risk), key, key, key)
        covered = said.get((host, value, risk), set())
        if answer.answer == "yes" and not shown:
            assert risk is Risk.LOW
            assert covered, "it was named at another gate, for exactly this change"
        elif answer.answer == "yes":
            assert key == "a" or (key == "y" and risk is Risk.LOW)
        assert answer.digest == question(host, value=value, risk=risk).step.digest
        if key == "a" and answer.why.startswith("said for "):
            names = answer.why.removeprefix("said for ").removesuffix(" at once").split(", ")
            assert all(name in shown for name in names)
            for name in names:
                said.setdefault((name, value, risk), set()).add(host)

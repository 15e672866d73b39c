"""One question at a time, for as long as anybody answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from tests.golden import samples as s

from memrunbook.app.gates import OneAtATime
from memrunbook.core.errors import Interrupted
from memrunbook.core.run.request import Approval, AskApproval, GateAnswer

DEADLINE = 10.0


@dataclass
class AtTheTerminal:
    """A person who sees the gates of hosts, and answers the first one when they are told to."""

    answer: GateAnswer = "yes"
    shown: list[str] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def approve(self, host: str, question: AskApproval) -> Approval:
        self.shown.append(host)
        self.asked.set()
        assert self.may_answer.wait(DEADLINE)
        return Approval(s.NOW, self.answer, question.step.digest, "ada", "terminal")


def told(gates: OneAtATime, host: str, found: dict[str, str]) -> None:
    try:
        found[host] = gates.approve(host, s.question()).answer
    except Interrupted:
        found[host] = "interrupted"


def three_hosts(person: AtTheTerminal, gates: OneAtATime, stop: threading.Event | None = None) -> dict[str, str]:
    """What the gates of three hosts say of which the first is asked while the others wait behind it."""
    found = dict[str, str]()
    threads = [threading.Thread(target=told, args=(gates, host, found)) for host in ("web1", "web2", "web3")]
    threads[0].start()
    assert person.asked.wait(DEADLINE)
    for thread in threads[1:]:
        thread.start()
    if stop is not None:
        stop.set()
    person.may_answer.set()
    for thread in threads:
        thread.join(DEADLINE)
    return found


def test_after_ctrl_c_no_gate_of_a_host_that_waits_is_shown_any_more() -> None:
    person, stop = AtTheTerminal(), threading.Event()
    found = three_hosts(person, OneAtATime(person, stop), stop)
    assert found == {"web1": "yes", "web2": "interrupted", "web3": "interrupted"}
    assert person.shown == ["web1"]


@pytest.mark.parametrize(("answer", "gates"), [("yes", 3), ("no", 3), ("quit-all", 1)])
def test_each_host_is_asked_for_itself_unless_a_person_quits_them_all(answer: GateAnswer, gates: int) -> None:
    person = AtTheTerminal(answer)
    found = three_hosts(person, OneAtATime(person, threading.Event()))
    assert found == dict.fromkeys(("web1", "web2", "web3"), answer)
    assert len(person.shown) == gates

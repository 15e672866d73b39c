"""Answers from the terminal: none from before the question, and no question where another gate answered it."""

from __future__ import annotations

import os
import pty
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec import structs
from tests.golden import samples as s

from memrunbook.cli.keyboard import Keyboard, Unhurried
from memrunbook.core.action.action import Risk
from memrunbook.core.errors import Interrupted
from memrunbook.core.run.request import AskApproval
from memrunbook.ui.approve import TerminalApprover
from memrunbook.ui.screen import Screen
from memrunbook.ui.together import Together

HOSTS = ("web1", "web2", "web3")
LOW = structs.replace(s.SYSCTL, identity="", risk=Risk.LOW)
QUESTION = AskApproval(s.step(LOW), s.NOW)


class Gate:
    """A person at a terminal of the test's own, who types when the question is drawn; how often drawing paused."""

    def __init__(self, keys: list[str]) -> None:
        self.ours, theirs = pty.openpty()
        self.stdin = os.fdopen(theirs, "r")
        self.stop, self.pauses, self.keys = threading.Event(), 0, keys
        self.keyboard = Keyboard(self.stop)
        screen = Screen("never", os.fdopen(os.dup(theirs), "w"))
        terminal = TerminalApprover(screen, self._answer, lambda: s.NOW, "ada", HOSTS, {}, Together((HOSTS,)))
        self.approver = Unhurried(terminal, self.keyboard, self.alone)

    @contextmanager
    def alone(self) -> Iterator[None]:
        self.pauses += 1
        yield

    def _answer(self) -> str:
        os.write(self.ours, f"{self.keys.pop(0)}\n".encode())
        return self.keyboard.read()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    found = Gate([])
    monkeypatch.setattr(sys, "stdin", found.stdin)
    yield found
    os.close(found.ours)
    found.stdin.close()


def test_what_was_typed_before_the_question_is_no_answer_to_it(gate: Gate) -> None:
    os.write(gate.ours, b"y\n")
    gate.keys = ["n"]
    assert gate.approver.approve("web1", QUESTION).answer == "no"


def test_nothing_stops_being_drawn_for_a_host_that_another_gate_answered(gate: Gate) -> None:
    gate.keys = ["a"]
    assert [gate.approver.approve(host, QUESTION).answer for host in HOSTS] == ["yes"] * 3
    assert gate.pauses == 1


def test_ctrl_c_ends_the_wait_for_an_answer(gate: Gate) -> None:
    gate.stop.set()
    gate.keys = ["y"]
    with pytest.raises(Interrupted, match="at the gate"):
        gate.approver.approve("web1", QUESTION)


def test_a_terminal_that_has_gone_is_nobody_who_could_be_asked(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with os.fdopen(read) as no_terminal, os.fdopen(write, "w"):
        monkeypatch.setattr(sys, "stdin", no_terminal)
        with pytest.raises(Interrupted, match="the terminal has gone"):
            gate.approver.approve("web1", QUESTION)

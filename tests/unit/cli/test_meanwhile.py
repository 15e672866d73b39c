"""What is told while hosts are read: on a terminal in what goes away, elsewhere what nobody should miss."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Sequence

import pytest
from tests.golden import samples as s

from memrunbook.cli.formats import format_of
from memrunbook.cli.meanwhile import LOOKED_AT, SOON, Meanwhile
from memrunbook.cli.options import OutputOptions
from memrunbook.core.errors import Interrupted
from memrunbook.core.host import Host
from memrunbook.transports.shared.reach import OWN_CLIENT

SEVERAL = [Host(f"web{number}") for number in range(1, 4)]


class Stderr(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


class Gone(Stderr):
    """A terminal whose window was closed."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, stderr: Stderr, *, form: str = "text", term: str = "xterm"
) -> tuple[Meanwhile, threading.Event]:
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", term)
    stop = threading.Event()
    return Meanwhile(OutputOptions(format_of(form), "never"), stop), stop


@pytest.mark.parametrize(("waited", "told"), [(SOON - 0.1, ""), (SOON, "db7: 2 s, connecting")])
def test_a_short_wait_is_not_worth_a_word(monkeypatch: pytest.MonkeyPatch, waited: float, told: str) -> None:
    stderr = Stderr(terminal=True)
    said, _ = meanwhile(monkeypatch, stderr)
    said.waiting("db7", "connecting", waited)
    assert told in stderr.getvalue()
    assert bool(stderr.getvalue()) == bool(told)


@pytest.mark.parametrize("stderr", [Stderr(terminal=True), Stderr(terminal=False), Gone(terminal=True)])
def test_ctrl_c_ends_a_wait_that_nothing_else_would_end(monkeypatch: pytest.MonkeyPatch, stderr: Stderr) -> None:
    said, stop = meanwhile(monkeypatch, stderr)
    said.waiting("db7", "connecting", 60.0)
    stop.set()
    with pytest.raises(Interrupted, match="given up after 60 s: connecting"):
        said.waiting("db7", "connecting", 60.0)


@pytest.mark.parametrize(
    ("hosts", "form", "term", "stderr"),
    [
        (SEVERAL[:1], "text", "xterm", Stderr(terminal=True)),
        (SEVERAL, "jsonl", "xterm", Stderr(terminal=True)),
        (SEVERAL, "text", "dumb", Stderr(terminal=True)),
        (SEVERAL, "text", "xterm", Stderr(terminal=False)),
    ],
)
def test_several_hosts_are_drawn_only_where_a_person_reads_along(
    monkeypatch: pytest.MonkeyPatch, hosts: Sequence[Host], form: str, term: str, stderr: Stderr
) -> None:
    said, _ = meanwhile(monkeypatch, stderr, form=form, term=term)
    assert said.fleet(hosts) is None
    drawing, _ = meanwhile(monkeypatch, Stderr(terminal=True))
    assert drawing.fleet(SEVERAL) is not None


@pytest.mark.parametrize(("watching", "told"), [(True, "watching web1, 31 samples, about 5 min\n"), (False, "")])
def test_off_a_terminal_a_watch_alone_is_told(monkeypatch: pytest.MonkeyPatch, told: str, *, watching: bool) -> None:
    stderr = Stderr(terminal=False)
    said, _ = meanwhile(monkeypatch, stderr)
    said.reading(SEVERAL[:1], 31, 10.0, watching=watching)
    assert stderr.getvalue() == told
    assert not said.first_look


@pytest.mark.parametrize(
    ("hosts", "samples", "wanted"), [(1, 2, True), (LOOKED_AT, 2, True), (LOOKED_AT + 1, 2, False), (1, 1, False)]
)
def test_the_first_look_at_many_hosts_would_bury_the_answer(
    monkeypatch: pytest.MonkeyPatch, hosts: int, samples: int, *, wanted: bool
) -> None:
    said, _ = meanwhile(monkeypatch, Stderr(terminal=True))
    said.reading([Host(f"web{number}") for number in range(hosts)], samples, 1.0, watching=False)
    try:
        assert said.first_look == wanted
    finally:
        said.read()


@pytest.mark.parametrize(
    ("stage", "words", "told"),
    [
        ("transport", "ssh's client: ProxyCommand", "web1: reached by ssh's client: ProxyCommand\n"),
        ("transport", OWN_CLIENT, ""),
        ("login", "ada", ""),
    ],
)
def test_another_client_is_worth_a_line_off_a_terminal_too(
    monkeypatch: pytest.MonkeyPatch, stage: str, words: str, told: str
) -> None:
    stderr = Stderr(terminal=False)
    said, _ = meanwhile(monkeypatch, stderr)
    said.passed("web1", stage, words)
    assert stderr.getvalue() == told


def test_a_terminal_that_has_gone_ends_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    said, _ = meanwhile(monkeypatch, Gone(terminal=True))
    said.reading(SEVERAL, 2, 1.0, watching=True)
    said.connecting("web1")
    said.first(s.snapshot())
    said.passed("web1", "transport", "another")
    said.ended("web1", "unreachable", "no answer")
    said.read()

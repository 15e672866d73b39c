"""The shipped doubles do what the ports promise."""

from __future__ import annotations

import hashlib
import json

import pytest

from memrunbook.core.errors import JournalError, Unreachable
from memrunbook.core.reading.fact import Answer, Read, Sample
from memrunbook.core.reading.probe import build_probe, read_sample
from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.run.record import NotAnswered
from memrunbook.runtime.ports import Approver, Clock, Connector, Journal, Output, Past, Session
from memrunbook.testing import (
    START,
    Call,
    FixedClock,
    MemoryJournal,
    MemoryPast,
    ScriptedApprover,
    ScriptedConnector,
    ScriptedSession,
)  # fmt: skip


def test_every_double_fits_its_port() -> None:
    session: Session = ScriptedSession()
    connector: Connector = ScriptedConnector()
    clock: Clock = FixedClock()
    past: Past = MemoryPast()
    journal: Journal = MemoryJournal()
    approver: Approver = ScriptedApprover()
    assert all((session.root, connector, clock, past, journal, approver))


def test_time_passes_only_when_somebody_sleeps() -> None:
    clock = FixedClock()
    clock.sleep(2.5)
    assert clock.now().since(START) == 2.5
    assert clock.now().utc == START.utc + 2.5


def test_a_session_answers_probes_and_scripts_apart() -> None:
    session = ScriptedSession(lambda call: Output(0, call.script * 3), lambda: Sample(1.0, 2.0, {"/x": Answer("5\n")}))
    probe = session.execute(build_probe([Read("/x")], repeat=False), ("nonce",))
    assert read_sample(probe.text, "nonce").text("/x") == "5\n"
    assert session.execute("abc", ["1"], timeout=2.0, limit=5) == Output(0, "abcab", truncated=True)
    assert session.execute("abc") == Output(0, "abcabcabc")
    assert session.calls == [Call("abc", ("1",), 2.0), Call("abc", (), 30.0)]
    session.close()
    assert session.closed


def test_a_connector_gives_its_session_or_its_error() -> None:
    session = ScriptedSession()
    assert ScriptedConnector(session).connect() is session
    with pytest.raises(Unreachable):
        ScriptedConnector(error=Unreachable()).connect()


def test_a_journal_keeps_evidence_and_breaks_where_it_is_told() -> None:
    journal = MemoryJournal(breaks_at=1)
    envelope = NotAnswered("Refused", "no")
    text = b'{"event":"error","error":"Refused","message":"no","hint":""}'
    assert journal.append(envelope) == hashlib.sha256(text).hexdigest()
    with pytest.raises(JournalError):
        journal.append(envelope)
    assert journal.records == [json.loads(text)]
    assert journal.save("a.txt", "text") == ("a.txt", hashlib.sha256(b"text").hexdigest())
    assert journal.evidence == {"a.txt": "text"}


def test_a_past_knows_each_point_once_in_the_order_of_time() -> None:
    past = MemoryPast()
    later, earlier = (Series("host", "", "memory.free_bytes", (Observation(at, at),)) for at in (2.0, 1.0))
    past.keep("web", "", [later, earlier])
    past.keep("web", "", [later])
    assert past.series("web", "", 0.0) == (Series("host", "", "memory.free_bytes", (*earlier.points, *later.points)),)
    assert past.series("db", "", 0.0) == ()

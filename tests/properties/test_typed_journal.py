"""Whatever is written to a journal is read back as the very same value."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.lab.any_value import Fields, any_of, readings

from memrunbook import catalog
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Event
from memrunbook.core.run.record import Answered, Asked, Context, Envelope, NotAnswered, Recorded, decode, plain
from memrunbook.core.run.request import Request, Told
from memrunbook.runtime.redaction import without_secrets
from memrunbook.state import chain

READINGS = {name: fact.reading for name, fact in catalog.facts().items()}
SPECIAL: Fields = {Snapshot: {"readings": readings(READINGS, Unavailable)}}
LENIENT = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=25)


@cache
def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type, with readings of the real facts in its snapshots."""
    return any_of(kind, SPECIAL)


@cache
def snapshots_of(fact: str) -> st.SearchStrategy[Any]:
    """Any snapshot with a reading of this fact."""
    reading = any_of(READINGS[fact]).map(lambda found: {fact: found})
    return any_of(Snapshot, {Snapshot: {"readings": reading}})


def kept(envelope: Envelope) -> Any:
    """The envelope as it stands in a journal's file, read back."""
    line, _ = chain.seal(chain.Link(), plain(envelope))
    return decode(json.loads(line), READINGS)


@pytest.mark.parametrize("kind", get_args(Request), ids=lambda kind: kind.__name__)
@LENIENT
@given(data=st.data())
def test_any_request_is_read_back(kind: Any, data: st.DataObject) -> None:
    envelope = Asked(data.draw(values(kind)))
    assert kept(envelope) == envelope


@pytest.mark.parametrize("kind", get_args(Told), ids=lambda kind: kind.__name__)
@LENIENT
@given(data=st.data())
def test_any_answer_is_read_back(kind: Any, data: st.DataObject) -> None:
    envelope = Answered(data.draw(values(kind)))
    assert kept(envelope) == envelope


@pytest.mark.parametrize("fact", sorted(READINGS))
@LENIENT
@given(data=st.data())
def test_any_reading_of_any_fact_is_read_back(fact: str, data: st.DataObject) -> None:
    envelope = Answered(data.draw(snapshots_of(fact)))
    assert kept(envelope) == envelope


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
@LENIENT
@given(data=st.data())
def test_any_event_is_read_back(kind: Any, data: st.DataObject) -> None:
    envelope = Recorded(data.draw(values(kind)))
    assert kept(envelope) == envelope


@pytest.mark.parametrize("kind", get_args(Envelope), ids=lambda kind: kind.__name__)
@LENIENT
@given(data=st.data())
def test_any_record_is_read_back(kind: Any, data: st.DataObject) -> None:
    envelope = data.draw(values(kind))
    assert kept(envelope) == envelope


@pytest.mark.parametrize("kind", [Asked, Answered, NotAnswered, Recorded], ids=lambda kind: kind.__name__)
@LENIENT
@given(data=st.data())
def test_a_record_of_a_host_is_read_back_beside_its_context(kind: Any, data: st.DataObject) -> None:
    envelope, context = data.draw(values(kind)), data.draw(values(Context))
    line, _ = chain.seal(chain.Link(), {**msgspec.to_builtins(context), **plain(envelope)})
    assert decode(json.loads(line), READINGS) == envelope
    assert msgspec.convert(json.loads(line), Context) == context


@LENIENT
@given(snapshot=values(Snapshot), place=st.sampled_from(["token: s3cret", "--password s3cret", "api_key=s3cret"]))
def test_what_was_hidden_is_hidden_from_the_run_too_and_read_back_the_same(snapshot: Snapshot, place: str) -> None:
    told = without_secrets(Answered(msgspec.structs.replace(snapshot, host=place)), READINGS)
    assert "s3cret" not in msgspec.json.encode(told).decode()
    assert kept(told) == told


def test_a_reading_of_no_known_fact_is_refused() -> None:
    snapshot = {"type": "Snapshot", "host": "h", "identity": {}, "taken_at": {"utc": 0.0, "monotonic": 0.0}}
    record = {"event": "answered", "answer": {**snapshot, "readings": {"nosuch": {}}}}
    with pytest.raises(msgspec.ValidationError, match="nosuch"):
        decode(record, READINGS)

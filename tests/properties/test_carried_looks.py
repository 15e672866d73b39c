"""Whatever was found of a host says the same where it was carried to."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.lab.any_value import Fields, any_of, readings

from memrunbook import catalog
from memrunbook.app.carried_errors import KNOWN, CarriedError, carried, error_of
from memrunbook.app.carried_looks import pack_judged, pack_planned, unpack_judged, unpack_planned
from memrunbook.app.held_up import FrozenNow, HeldUp
from memrunbook.cli.commands.diagnose import _code_of
from memrunbook.core.errors import DocumentError, HostError, Problem, Refused, RunbookError
from memrunbook.core.host import Host
from memrunbook.core.plan.diagnosis import SEVERITIES, Diagnosis, Finding, RunbookDiagnosis
from memrunbook.core.plan.headline import headline
from memrunbook.core.plan.judged import Judged, Planned
from memrunbook.core.plan.plan import Plan
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.reached import Reached
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.units import encode
from memrunbook.documents.printed.diagnose import printed_host
from memrunbook.documents.printed.plan import planned_host
from memrunbook.runtime.redaction import may_hold_secret
from memrunbook.transports.shared.patience import TurnedAway

HOST = Host("web01")
READINGS = {name: fact.reading for name, fact in catalog.facts().items()}
TELLING = {name: READINGS[name] for name in ("holds", "host", "oom", "memory")}
WORST = st.sampled_from(SEVERITIES)
SPECIAL: Fields = {
    Snapshot: {"readings": readings(TELLING, Unavailable)},
    Finding: {"severity": WORST, "name": st.sampled_from("ab"), "telling": st.just(("m",))},
    RunbookDiagnosis: {"severity": WORST, "runbook": st.sampled_from("xyz")},
}
LENIENT = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=25)
WORDS = st.text(max_size=8)


@cache
def values(kind: Any) -> st.SearchStrategy[Any]:
    return any_of(kind, SPECIAL)


@st.composite
def errors(draw: st.DrawFn) -> RunbookError:
    kind = draw(st.sampled_from([*KNOWN.values(), TurnedAway]))
    if kind is DocumentError:
        return DocumentError(draw(st.lists(st.builds(Problem, WORDS, WORDS, WORDS), max_size=60)))
    error: RunbookError = kind(draw(WORDS), where=draw(WORDS), hint=draw(WORDS))
    if isinstance(error, HostError):
        error.stage = draw(WORDS)
    if isinstance(error, Refused):
        error.passes = draw(st.booleans())
    return error


@st.composite
def all_judged(draw: st.DrawFn) -> Judged:
    if draw(st.integers(0, 3)) == 0:
        return Judged(Reached(HOST, error=draw(errors())))
    return Judged(Reached(HOST, draw(values(Snapshot))), draw(values(Diagnosis)))


def told(error: RunbookError) -> tuple[object, ...]:
    extra = (getattr(error, name, None) for name in ("stage", "passes", "run", "problems"))
    return str(error), error.message, error.where, error.hint, *extra


def same_error(one: RunbookError | None, other: RunbookError | None) -> bool:
    return (one is None) == (other is None) and (one is None or other is None or told(one) == told(other))


def assume_no_secret(*said: object) -> None:
    """What looks like a secret is hidden on the way, as on every page."""
    assume(not may_hold_secret(msgspec.json.encode(said, enc_hook=encode).decode()))


@LENIENT
@given(one=all_judged(), off=WORDS, printed=st.booleans())
def test_a_headline_and_an_exit_code_travel(one: Judged, off: str, *, printed: bool) -> None:
    assume_no_secret(one.reached.snapshot, one.diagnosis, off)
    again, said = unpack_judged(pack_judged(one, off, full=False, printed=printed), HOST)
    assert said == off
    assert headline(again) == headline(one)
    assert same_error(again.reached.error, one.reached.error)
    for fail_on in ("incident", "warning"):
        assert _code_of(again, fail_on) == _code_of(one, fail_on)
    if printed:
        assert written(printed_host(again, off)) == written(printed_host(one, off))


@LENIENT
@given(one=all_judged(), off=WORDS)
def test_everything_travels(one: Judged, off: str) -> None:
    assume_no_secret(one.reached.snapshot, one.diagnosis, off)
    again, said = unpack_judged(pack_judged(one, off, full=True), HOST)
    assert (again.reached.snapshot, again.diagnosis, said) == (one.reached.snapshot, one.diagnosis, off)
    assert same_error(again.reached.error, one.reached.error)


@LENIENT
@given(data=st.data(), full=st.booleans())
def test_a_plan_travels_with_what_holds_it_up(data: st.DataObject, *, full: bool) -> None:
    draw = data.draw
    one = Planned(Reached(HOST, draw(values(Snapshot))), draw(values(RunbookDiagnosis)), draw(values(Plan)))
    opened, frozen = draw(st.lists(values(OpenStep), max_size=2)), draw(st.lists(values(FrozenNow), max_size=2))
    held = HeldUp(tuple(opened), tuple(frozen), draw(WORDS))
    assume_no_secret(one.reached.snapshot, one.diagnosis, one.plan, *held)
    again, said = unpack_planned(pack_planned(one, held, full=full), HOST)
    assert (again.diagnosis, again.plan, said) == (one.diagnosis, one.plan, held)
    assert written(planned_host(again, held.off)) == written(planned_host(one, held.off))
    assert not full or again.reached == one.reached


def written(document: msgspec.Struct) -> bytes:
    return msgspec.json.encode(document, enc_hook=encode)


def test_an_error_of_a_class_that_is_not_known_is_one_of_the_host() -> None:
    error = error_of(CarriedError("Thawed", "it melted", "web01", "freeze it"))
    assert type(error) is HostError
    assert told(error)[:4] == ("web01: it melted", "it melted", "web01", "freeze it")


def test_an_error_of_a_transport_is_what_others_know_of_it() -> None:
    error = error_of(carried(TurnedAway("closed at once", where="web01")))
    assert type(error) is KNOWN["Unreachable"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\x78\x9c", pack_judged(Judged(Reached(HOST)), "", full=True)[:-1]])
def test_what_another_version_carried_is_an_error_of_that_host(content: bytes) -> None:
    with pytest.raises(HostError, match="cannot be read here") as caught:
        unpack_judged(content, HOST)
    assert (caught.value.where, "same version" in caught.value.hint) == ("web01", True)

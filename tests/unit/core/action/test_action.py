"""A change's digest is what an approval is for."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any, ClassVar

import msgspec
import pytest
from tests.lab.small import snapshot

from memrunbook.core.action.action import Action, Change, Details, Repeat, Risk, Undo, UndoMode, Verify

CHANGE = Change(
    action="restart_unit",
    summary="Restart web",
    target="web",
    identity="web 100 boot",
    script="act",
    args=("web", "100"),
    risk=Risk.MEDIUM,
    repeat=Repeat.ONCE,
    back_after=60.0,
)


def test_the_digest_is_a_sha256() -> None:
    parts = b'["restart_unit","web","web 100 boot","act","web","100","60.0","2"]'
    assert CHANGE.digest == hashlib.sha256(parts).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        {"action": "stop_unit"},
        {"target": "db"},
        {"identity": "web 101 boot"},
        {"script": "act more"},
        {"args": ("web", "101")},
        {"args": ("web100",)},
        {"back_after": 61.0},
        {"risk": Risk.HIGH},
    ],
)
def test_another_change_has_another_digest(other: dict[str, Any]) -> None:
    assert msgspec.structs.replace(CHANGE, **other).digest != CHANGE.digest


@pytest.mark.parametrize(
    "other", [{"summary": "Restart web (500 MiB)"}, {"costs": "a moment"}, {"undo": Undo("back", "back")}]
)
def test_what_was_measured_is_no_part_of_it(other: dict[str, Any]) -> None:
    assert msgspec.structs.replace(CHANGE, **other).digest == CHANGE.digest


def test_risks_have_an_order_and_words() -> None:
    assert Risk.NONE < Risk.LOW < Risk.MEDIUM < Risk.HIGH
    assert [risk.word for risk in Risk] == ["none", "low", "medium", "high"]


def test_a_change_survives_json() -> None:
    change = msgspec.structs.replace(CHANGE, undo=Undo("s", "x", ("1",), "offer"), verify=Verify("true", 5.0, 2.0))
    assert msgspec.json.decode(msgspec.json.encode(change), type=Change) == change


def test_an_action_must_say_what_it_does() -> None:
    with pytest.raises(NotImplementedError):
        Action().decide(snapshot())


class Careful(Action, frozen=True, kw_only=True):
    max_risk: ClassVar[Risk] = Risk.MEDIUM
    repeat: ClassVar[Repeat] = Repeat.ONCE
    undo_mode: ClassVar[UndoMode] = "offer"


class Ready(Careful, frozen=True, kw_only=True):
    undo_mode: ClassVar[UndoMode] = "auto"


class Final(Careful, frozen=True, kw_only=True):
    undo_mode: ClassVar[UndoMode] = "none"


def made(action: Action, risk: Risk | None = None, undo: Undo | None = None, after: float | None = None) -> Change:
    must = partial(action.change, summary="Act", target="web", script="act", command="act web")
    return must(risk=risk, undo=undo, back_after=after, costs="a moment")


def test_a_change_has_the_word_and_the_promises_of_its_class() -> None:
    change = made(Careful())
    assert change.action == Careful().word == __name__.rpartition(".")[2]
    assert (change.repeat, change.risk, change.undo) == (Repeat.ONCE, Risk.MEDIUM, None)
    assert (change.summary, change.back_after, change.costs) == ("Act", 0.0, "a moment")


def test_no_change_has_a_higher_risk_than_its_class_allows() -> None:
    assert [made(Careful(), risk).risk for risk in (Risk.NONE, Risk.LOW, Risk.MEDIUM)] == [0, 1, 2]
    with pytest.raises(ValueError, match="risk high is above medium"):
        made(Careful(), Risk.HIGH)


@pytest.mark.parametrize(
    ("action", "mode", "found"),
    [
        (Ready(), "auto", "auto"),
        (Ready(), "offer", "offer"),
        (Careful(), "auto", "offer"),
        (Careful(), "offer", "offer"),
    ],
)
def test_an_undo_is_as_careful_as_its_class_or_more(action: Action, mode: UndoMode, found: UndoMode) -> None:
    undo = Undo("back", "back", ("web",), mode)
    assert made(action, undo=undo).undo == msgspec.structs.replace(undo, mode=found)


def test_a_class_without_undo_has_none() -> None:
    with pytest.raises(ValueError, match="its undo mode is none"):
        made(Final(), undo=Undo("back", "back"))


def test_a_summary_says_when_the_change_goes_away() -> None:
    change = made(Ready(), after=7200.0)
    assert (change.summary, change.back_after) == ("Act, back after 2 h", 7200.0)


def test_every_part_of_a_change_can_be_said() -> None:
    said = {"summary", "target", "script", "command", "risk", "undo", "back_after", *Details.__annotations__}
    assert {*said, "action", "repeat", "care"} == set(Change.__struct_fields__)

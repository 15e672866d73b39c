"""A change's digest is what an approval is for."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from tests.lab.small import snapshot

from memrunbook.core.action.action import Action, Change, Repeat, Risk, Undo, Verify

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

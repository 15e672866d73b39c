"""The hash chain: whatever was done to it is found, and what a power cut did is told apart."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import Struct

from memrunbook.core.units import Duration, Size
from memrunbook.state.chain import Broken, Link, Torn, Verified, canonical, last, seal, verify, walk

PAYLOADS = st.dictionaries(
    st.text(max_size=5).filter(lambda key: key not in {"seq", "prev", "hash"}),
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text() | st.lists(st.text(max_size=3)),
    max_size=3,
)
CHAINS = st.lists(PAYLOADS, min_size=1, max_size=4)


def chain(payloads: list[dict[str, Any]]) -> list[bytes]:
    link, lines = Link(), []
    for payload in payloads:
        line, link = seal(link, payload)
        lines.append(line)
    return lines


def split(data: bytes) -> list[bytes]:
    return [line + b"\n" for line in data.split(b"\n")[:-1]] + [tail for tail in data.split(b"\n")[-1:] if tail]


def test_the_empty_chain_is_intact() -> None:
    assert verify([]) == Verified("0" * 64, 0)


@given(CHAINS)
def test_what_was_sealed_verifies_and_reads_back(payloads: list[dict[str, Any]]) -> None:
    lines = chain(payloads)
    verdict = verify(lines)
    assert isinstance(verdict, Verified)
    assert verdict.count == len(payloads)
    assert last(lines[-1]) == Link(verdict.head, verdict.count)
    records = [json.loads(line) for line in lines]
    assert [record["seq"] for record in records] == list(range(1, len(lines) + 1))
    assert [*walk(lines)] == [Verified(record["hash"], record["seq"]) for record in records]


@given(CHAINS, st.data())
def test_any_changed_byte_is_found(payloads: list[dict[str, Any]], data: st.DataObject) -> None:
    whole = b"".join(chain(payloads))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    assume(changed != whole)
    verdict = verify(split(changed))
    assert isinstance(verdict, Broken)
    assert verdict.line <= whole[:place].count(b"\n") + 1


@given(st.lists(PAYLOADS, min_size=2, max_size=5), st.data())
def test_a_removed_record_is_found(payloads: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = chain(payloads)
    place = data.draw(st.integers(0, len(lines) - 2))
    verdict = verify(lines[:place] + lines[place + 1 :])
    assert isinstance(verdict, Broken)
    assert verdict.line == place + 1
    assert "removed, inserted or moved" in verdict.why


@given(CHAINS, st.data())
def test_an_inserted_record_is_found(payloads: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = chain(payloads)
    place = data.draw(st.integers(0, len(lines) - 1))
    forged, _ = seal(last(lines[place - 1]) or Link() if place else Link(), {"forged": True})
    assert isinstance(verify([*lines[:place], forged, *lines[place:]]), Broken)


@given(st.lists(PAYLOADS, min_size=2, max_size=5), st.data())
def test_reordered_records_are_found(payloads: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = chain(payloads)
    order = data.draw(st.permutations(range(len(lines))))
    assume(order != sorted(order))
    assert isinstance(verify([lines[place] for place in order]), Broken)


def test_a_record_that_was_replaced_and_sealed_again_breaks_the_next() -> None:
    lines = chain([{"a": 1}, {"a": 2}, {"a": 3}])
    lines[1], _ = seal(last(lines[0]) or Link(), {"a": "forged"})
    assert verify(lines) == Broken(3, "the record does not follow the one before it: that one was replaced")


@given(CHAINS, st.data())
def test_a_record_cut_in_writing_is_torn_not_broken(payloads: list[dict[str, Any]], data: st.DataObject) -> None:
    *lines, final = chain(payloads)
    rest = final[: data.draw(st.integers(1, len(final) - 1))]
    verdict = verify([*lines, rest])
    before = verify(lines)
    assert isinstance(before, Verified)
    assert verdict == Torn(before.head, before.count, rest)


def test_a_line_behind_a_torn_one_is_broken() -> None:
    first, second = chain([{"a": 1}, {"a": 2}])
    verdict = verify([first[:-9], second])
    assert verdict == Broken(1, "the line does not end where its record does")


@pytest.mark.parametrize("body", [b'{"x":1}', b'{"\xe1":1}', b"[1}", b'{"seq":"1","prev":""}'])
def test_a_sealed_line_without_a_place_is_no_record(body: bytes) -> None:
    line, _ = seal(Link(), {})
    forged = body[:-1] + b',"hash":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'
    assert last(forged) is None
    assert isinstance(verify([line, forged]), Broken)


def test_the_chains_own_names_are_refused() -> None:
    with pytest.raises(ValueError, match="a record has its own hash, seq"):
        seal(Link(), {"seq": 1, "hash": "x", "fine": 1})


def test_text_from_a_hostile_host_can_be_sealed() -> None:
    line, link = seal(Link(), {"name": "a\udcff\ud800", "list": ["\udc80", {"\udc81": (1, "\n")}], "nan": float("nan")})
    assert verify([line]) == Verified(link.head, 1)
    record = json.loads(line)
    assert record["name"] == "a\\udcff\\ud800"
    assert record["list"] == ["\\udc80", {"\\udc81": [1, "\n"]}]
    assert record["nan"] is None


def test_sizes_and_durations_are_numbers_in_a_record() -> None:
    assert canonical({"b": Size(5), "a": Duration(1.5)}) == b'{"a":1.5,"b":5}'


def test_structs_are_sealed_with_sorted_keys() -> None:
    class Point(Struct):
        y: int
        x: int

    assert canonical({"point": Point(2, 1)}) == b'{"point":{"x":1,"y":2}}'


def test_what_is_no_data_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no place in a record"):
        canonical({"a": object()})

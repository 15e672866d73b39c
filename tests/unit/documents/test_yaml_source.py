"""YAML in: plain values with their places; whatever is not plain data is refused with line and column."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.errors import DocumentError
from memrunbook.documents import reader
from memrunbook.documents.yaml_source import load

RUNBOOK = """\
# yaml-language-server: $schema=../schemas/runbook.schema.json
name: swap
checks:
  - id: thrashing
    when: >-
      swap.in_bytes > 5
      && pressure.some > 1.0
  - {id: second, when: "a > b"}
note: |
  one
  two"""


def problems(text: str | bytes) -> list[tuple[str, str, str]]:
    with pytest.raises(DocumentError) as caught:
        load(text, "f.yaml")
    return [(one.where.removeprefix("f.yaml:"), one.message, one.hint) for one in caught.value.problems]


def only(text: str | bytes) -> tuple[str, str, str]:
    [problem] = problems(text)
    return problem


def test_a_document_is_plain_values() -> None:
    source = load(RUNBOOK, "f.yaml")
    assert source.data == {
        "name": "swap",
        "checks": [
            {"id": "thrashing", "when": "swap.in_bytes > 5 && pressure.some > 1.0"},
            {"id": "second", "when": "a > b"},
        ],
        "note": "one\ntwo",
    }


def test_the_digest_is_that_of_the_bytes() -> None:
    assert (
        load(RUNBOOK, "f").digest == load(RUNBOOK.encode(), "f").digest == hashlib.sha256(RUNBOOK.encode()).hexdigest()
    )


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), "2:1"),
        (("name",), "2:7"),
        (("checks",), "4:3"),
        (("checks", 0), "4:5"),
        (("checks", 0, "when"), "5:11"),
        (("checks", 1, "when"), "8:24"),
        (("checks", 1, "unknown", 5), "8:5"),
        (("unknown",), "2:1"),
    ],
)
def test_every_value_has_a_place_and_an_unknown_one_that_of_its_parent(path: tuple[str | int, ...], place: str) -> None:
    assert load(RUNBOOK, "f.yaml").where(path) == f"f.yaml:{place}"


def test_a_key_has_a_place_of_its_own() -> None:
    source = load(RUNBOOK, "f.yaml")
    assert source.where_key(("checks", 0, "when")) == "f.yaml:5:5"
    assert source.where_key(("checks", 1)) == "f.yaml:8:5"


@pytest.mark.parametrize(
    ("path", "word", "place"),
    [
        (("checks", 0, "when"), "pressure.some", "7:10"),
        (("checks", 1, "when"), "b", "8:29"),
        (("checks", 1, "when"), "nowhere", "8:24"),
        (("note",), "two", "11:3"),
        (("name",), "name", "2:7"),
    ],
)
def test_a_word_inside_a_value_can_be_found(path: tuple[str | int, ...], word: str, place: str) -> None:
    assert load(RUNBOOK, "f.yaml").where(path, word) == f"f.yaml:{place}"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("Off", "Off"), ("TRUE", "TRUE"), ("true", True), ("false", False),
        ("null", None), ("~", None), ("", None), ("Null", "Null"), ("0", 0), ("-5", -5), ("+5", 5), ("0644", "0644"),
        ("0x1f", "0x1f"), ("0o17", "0o17"), ("1_000", "1_000"), ("1:30", "1:30"), ("2026-11-22", "2026-11-22"),
        ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-1.5E-3", -0.0015), (".inf", ".inf"),
        ("512 MiB", "512 MiB"), ("'5'", "5"), ('"true"', "true"), (".nan", ".nan"),
        ("${{ item.name }}", "${{ item.name }}"), ("<<", "<<"), ("=", "="), ("1.2.3", "1.2.3"), (".", "."),
        ("e5", "e5"),
    ],
)  # fmt: skip
def test_a_word_means_what_it_looks_like(written: str, value: Any) -> None:
    found = load(f"key: {written}", "f").data["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("key", ["yes", "5", "null", "true", "1.0"])
def test_keys_are_always_text(key: str) -> None:
    assert load(f"{key}: 1", "f").data == {key: 1}


@pytest.mark.parametrize("number", ["9" * 19, "-" + "9" * 5000, "1e999", "1e301"])
def test_a_number_out_of_range_is_refused(number: str) -> None:
    assert only(f"key: {number}") == ("1:6", "the number is too large", "put it in quotes where text is meant")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: *b", "1:4", "aliases"),
        ("a: &b c", "1:4", "anchors"),
        ("a: !!python/object/apply:os.system [x]", "1:4", "tags"),
        ("a: ! x", "1:4", "tags"),
        ("a: !item.active", "1:4", "tags"),
        ("&k a: b", "1:1", "anchors"),
        ("*k : b", "1:1", "a key must be a word"),
        ("[a]: b", "1:1", "a key must be a word"),
        ("a: 1\n---\nb: 2", "2:1", "a second document begins here"),
        ("a: b: c", "1:5", 'there is a second ": " where one value belongs'),
        ("a: b ? c : d", "1:10", 'there is a second ": " where one value belongs'),
        ('a: "x" == y', "1:8", "this does not fit the lines before it"),
        ("a: [b, c", "1:4", "this is opened and never closed"),
        ("a: [b\nc: d\n", "2:2", 'a "," or "]" belongs here'),
        ("a: [b {c}]", "1:7", 'a "," or "]" belongs here'),
        ("{a: x in [b]}", "1:10", 'a "," or "}" belongs here'),
        ("{a: ${{ item.name }}}", "1:6", 'a "," or "}" belongs here'),
        ("a: @b", "1:4", "a value cannot begin with this character"),
        ("a:\n\tb: c", "2:1", "a tab may not stand here"),
        ('a: "x', "1:4", "this is opened and never closed"),
        ("a: 'x\nb: 2", "1:4", "this is opened and never closed"),
        ("a: b\nc", "2:1", 'this is no "key: value"'),
        ("a: b\nc\nd: e", "2:1", 'this is no "key: value"'),
        ('a: "\\q"', "1:5", "this escape does not exist"),
        ("%YAML 3.0\n---\na: b", "1:1", "this is not YAML"),
        ("", "1:1", "the file must be a mapping of keys and values"),
        ("- a", "1:1", "the file must be a mapping of keys and values"),
        ("just text", "1:1", "the file must be a mapping of keys and values"),
        ("a: b\x1b[2J", "1:5", "the character U+001B may not stand in a file"),
        ("a: 1\nb: \x00", "2:4", "the character U+0000 may not stand in a file"),
        ("a: \udcff", "1:4", "the file is not UTF-8"),
        (b"a: 1\nb: \xff", "2:4", "the file is not UTF-8"),
        ("a: b".encode("utf-16"), "1:1", "the file is not UTF-8"),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_place(text: str | bytes, place: str, message: str) -> None:
    where, said, _ = only(text)
    assert where == place
    assert said.startswith(message)


def test_everything_wrong_is_said_at_once() -> None:
    found = problems("a: 1\na: 2\nb: {c: 1, c: *x}\nd: !t &u v\ne: [f")
    assert [(place, message.split(" ")[0]) for place, message, _ in found] == [
        ("2:1", '"a"'),
        ("3:11", '"c"'),
        ("3:14", "aliases"),
        ("4:4", "anchors"),
        ("4:4", "tags"),
        ("5:4", "this"),
    ]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('when: unit.name == "a #1"', "1:7", 'the value ends in the middle: " #" begins a comment'),
        ("when: unit.name == 'a #1'", "1:7", 'the value ends in the middle: " #" begins a comment'),
        ("when: a > 1 && # both", "1:7", 'the value ends in the middle: " #" begins a comment'),
        ("[{that: f(a, b), why: x}]", "1:9", "the value ends at a comma in the middle of an expression"),
        ("{when: {a, b: c}}", "1:9", '"a" has no value'),
    ],
)
def test_an_expression_that_yaml_takes_apart_is_recognised(text: str, place: str, message: str) -> None:
    where, said, hint = problems(text)[0]
    assert (where, said) == (place, message)
    assert "put the whole value in quotes" in hint


@pytest.mark.parametrize(
    "text", ["title: Don't panic  # yet", "a: b # c", 'a: "x # y"', "a: 5 # five", "a: f(b, c)", "a: {b: }"]
)
def test_comments_and_plain_text_are_left_alone(text: str) -> None:
    assert load(text, "f").data


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_and_never_ends_the_process(opening: str) -> None:
    where, message, _ = problems(opening * 100_000)[-1]  # who stops first, the parser or we, is the parser's affair
    assert re.fullmatch(r"1:\d+", where)
    assert message.startswith("nested deeper than")


def test_thirty_two_levels_are_fine() -> None:
    assert load("a: " + "[" * 31 + "]" * 31, "f").data
    assert only("a: " + "[" * 32 + "]" * 32)[1] == "nested deeper than 32 levels"


def test_a_large_file_is_refused_unread() -> None:
    assert load("a: " + "b" * ((1 << 20) - 3), "f").data
    assert only("a: " + "b" * ((1 << 20) - 2))[1] == "the file is larger than 1 MiB"


def test_a_byte_order_mark_and_other_line_ends_are_fine() -> None:
    source = load(b"\xef\xbb\xbfa: 1\r\nb: 2\rc:\n- x\n", "f")
    assert source.data == {"a": 1, "b": 2, "c": ["x"]}
    assert source.where(("c", 0)) == "f:4:3"


def test_columns_count_characters() -> None:
    assert load('"ключ": {é: 1}', "f").where(("ключ", "é")) == "f:1:13"


def test_reading_stops_when_it_has_enough() -> None:
    text = "name: a\ntitle: b\nsteps: [\n *broken"
    assert load(text, "f", frozenset({"name", "title"})).data == {"name": "a", "title": "b"}
    assert load("name: a", "f", frozenset({"name", "title"})).data == {"name": "a"}


def test_without_the_c_library_the_same_is_read_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LOADER", yaml.SafeLoader)
    assert load(RUNBOOK, "f").data["note"] == "one\ntwo"
    assert only('a: "x" == y')[1] == "this does not fit the lines before it"
    assert only("a: [b {c}]")[1] == 'a "," or "]" belongs here'
    assert only("{a: x in [b]}")[1] == 'a "," or "}" belongs here'


@given(st.text() | st.binary())
def test_any_file_is_read_or_refused(content: str | bytes) -> None:
    try:
        assert isinstance(load(content, "f").data, dict)
    except DocumentError as error:
        assert error.problems  # noqa: PT017  either outcome is fine, but it says why


@given(st.text(alphabet="ab:-?,[]{}&*!|>'\"%@`# \n\t~1.\\", max_size=40))
def test_any_mix_of_yaml_signs_is_read_or_refused(text: str) -> None:
    try:
        source = load(text, "f")
    except DocumentError as error:
        assert error.problems  # noqa: PT017  either outcome is fine, but it says why
    else:
        assert all(source.where(path, "a").startswith("f:") for path in source.values)


@given(st.dictionaries(st.text(min_size=1), st.recursive(st.text() | st.integers(-9, 9), st.lists, max_leaves=5)))
def test_what_yaml_writes_is_read_back(data: dict[str, Any]) -> None:
    text = yaml.safe_dump(data, default_style='"', allow_unicode=False) if data else "{}"
    assert load(text.replace("!!int ", ""), "f").data == _as_text(data)


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    return [_as_text(item) for item in value] if isinstance(value, list) else str(value)


def test_infinity_never_comes_in() -> None:
    assert not math.isinf(load("a: 1e299", "f").data["a"])

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.units import (
    Duration,
    Size,
    Unit,
    decode,
    encode,
    format_bytes,
    format_duration,
    format_value,
    parse_duration,
    parse_size,
    schema,
    written,
)


class Document(msgspec.Struct):
    size: Size = Size(0)
    wait: Duration = Duration(0)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512 MiB", 512 << 20), ("1.5GiB", 3 << 29), (" 4 KiB ", 4096), ("0 B", 0), ("2TiB", 2 << 40)],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["512", "512 MB", "-1 MiB", "1e3 B", "", "MiB", "1 MiB 2 KiB"])
def test_a_size_without_a_plain_unit_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text)) + ".*512 MiB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("5m", 300.0), ("1h30m", 5400.0), ("250ms", 0.25), ("2 d", 172800.0), ("1.5h", 5400.0)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5 minutes", "m5", "-5m", "5m!", "1h30"])
def test_a_duration_without_a_plain_unit_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text)) + ".*5m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5 << 20, "5.0 MiB"),
        (3 << 29, "1.5 GiB"),
        (1 << 50, "1024.0 TiB"),
        (-2048, "-2.0 KiB"),
    ],
)
def test_bytes_are_written_for_people(size: int, text: str) -> None:
    assert format_bytes(size) == text


@given(st.integers(0, 1 << 60))
def test_written_bytes_can_be_read_again(size: int) -> None:
    assert parse_size(format_bytes(size)) == pytest.approx(size, rel=0.06)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0.4 s"),
        (10, "10 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (7140, "119 min"),
        (7200, "2 h"),
        (7800, "2 h 10 min"),
        (172799, "2 d"),
        (3542400, "41 d"),
    ],
)
def test_durations_are_written_the_way_people_say_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (True, Unit.NONE, "yes"),
        (False, Unit.NONE, "no"),
        ("disk", Unit.NONE, "disk"),
        (["a"], Unit.NONE, "['a']"),
        (1 << 30, Unit.BYTES, "1.0 GiB"),
        (3 << 19, Unit.BYTES_PER_SECOND, "1.5 MiB/s"),
        (17767, Unit.BYTES_PER_SECOND, "61.0 MiB/h"),
        (0, Unit.BYTES_PER_SECOND, "0.0 MiB/s"),
        (12.34, Unit.PERCENT, "12.3 %"),
        (20, Unit.PERCENT, "20 %"),
        (1234567, Unit.COUNT, "1,234,567"),
        (1234.56, Unit.PER_SECOND, "1,234.6/s"),
        (90.0, Unit.SECONDS, "90 s"),
        (0.12345, Unit.RATIO, "0.123"),
    ],
)
def test_a_value_is_written_with_its_unit(value: object, unit: Unit, text: str) -> None:
    assert format_value(value, unit) == text


def test_documents_hold_sizes_and_durations_as_text() -> None:
    document = msgspec.convert({"size": "2 KiB", "wait": "5m"}, Document, dec_hook=decode)
    assert (document.size, document.wait) == (2048, 300.0)


@pytest.mark.parametrize("field", ["size", "wait"])
def test_a_bare_number_in_a_document_is_refused(field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="without a unit"):
        msgspec.convert({field: 5}, Document, dec_hook=decode)


def test_the_schema_accepts_what_the_decoder_accepts() -> None:
    for kind, good, bad in ((Size, "1.5 GiB", "5"), (Duration, "1h30m", "5")):
        found = schema(kind)
        assert re.search(str(found["pattern"]), good)
        assert not re.search(str(found["pattern"]), bad)


def test_other_types_are_unknown_to_documents() -> None:
    with pytest.raises(NotImplementedError, match="set"):
        decode(set, "x")
    with pytest.raises(NotImplementedError, match="set"):
        schema(set)


def test_what_is_written_for_a_document_is_read_as_the_same() -> None:
    for value in (Size(512 << 20), Duration(5), Duration(0.2), Duration(5400)):
        assert decode(type(value), written(value)) == value
    with pytest.raises(TypeError, match="has no place in a document"):
        written(object())


def test_any_other_type_than_those_that_have_units_is_text() -> None:
    assert (encode(Size(5)), encode(Duration(2)), encode(1j)) == (5, 2.0, "1j")

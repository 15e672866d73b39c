"""File names: safe for any name, and one name a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.state.names import file_name, name_of


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("search-03.example.net", "search-03.example.net"),
        ("root@web:22", "root%40web%3A22"),
        ("..", "%2E."),
        (".hidden", "%2Ehidden"),
        ("a/../../b", "a%2F..%2F..%2Fb"),
        ("run", "%~run"),
        ("evidence", "%~evidence"),
        ("", "%~"),
        ("a\nb\x00", "a%0Ab%00"),
        ("100%", "100%25"),
    ],
)
def test_a_name_is_made_safe_and_read_back(name: str, file: str) -> None:
    assert file_name(name) == file
    assert name_of(file) == name


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_name_is_safe(name: str) -> None:
    file = file_name(name)
    assert "/" not in file
    assert not file.startswith(".")
    assert 0 < len(file) <= 200
    assert "%~" in file[1:] or name_of(file) == name


@given(st.lists(st.text(alphabet="ab/%~.run", max_size=6), min_size=2, max_size=9, unique=True))
def test_two_names_never_share_a_file(names: list[str]) -> None:
    assert len({file_name(name) for name in names}) == len(names)


def test_long_names_stay_apart() -> None:
    first, second = file_name("x" * 300), file_name("x" * 299 + "y")
    assert first != second
    assert name_of(first) == "x" * 100
    assert file_name("\udc80") == "%ED%B2%80"

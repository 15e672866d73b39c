"""What names a database or a log, and what of it people may see."""

from __future__ import annotations

import pytest

from memrunbook.runtime.outside import holds_password, is_file, is_log, is_server, shown


def test_a_password_is_shown_nowhere() -> None:
    assert shown("postgresql://ada:s3cret@db/x") == "postgresql://ada@db/x"
    assert shown("postgresql://ada:s3/c@ret@db/x") == "postgresql://ada@db/x"
    assert "s3cret" not in shown("postgresql://ada@db/x?password=s3cret")
    assert shown("/srv/store.sqlite") == "/srv/store.sqlite"


@pytest.mark.parametrize(
    "place", ["postgresql://a:b@db/x", "postgres://:b@/x", "postgresql://db/x?sslmode=x&password=b"]
)
def test_a_password_in_a_url_is_seen(place: str) -> None:
    assert holds_password(place)


@pytest.mark.parametrize("place", ["postgresql://a@db:5432/x", "postgresql:///x?passfile=/y", "/srv/a:b@c"])
def test_what_is_no_password(place: str) -> None:
    assert not holds_password(place)


def test_a_server_a_file_or_neither() -> None:
    assert is_server("postgresql+psycopg://db/x")
    assert is_server("postgres://db/x")
    assert not is_server("postgresql://")
    assert is_file("/srv/x")
    assert is_file("x.sqlite")
    assert not is_file("postgres")
    assert not is_file("sqlite:///x")


@pytest.mark.parametrize("place", ["", "udp://", "http://log", "udp://log:0", "tcp://log:99999", "tcp://[::1", "x"])
def test_what_is_no_log(place: str) -> None:
    assert not is_log(place)

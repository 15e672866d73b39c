"""A document is posted once, within its time, and nowhere else."""

from __future__ import annotations

import http.client
import time
from email.utils import formatdate
from urllib.parse import urlsplit

import pytest
from tests.receiving import receiving, say

from memrunbook.receivers.shared.posting import post, seconds_of
from memrunbook.receivers.shared.receiver import NotTaken


def test_what_came_too_late_to_a_connection_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = http.client.HTTPConnection.connect

    def slow(connection: http.client.HTTPConnection) -> None:
        """As of a name with several addresses that do not answer, before one that does."""
        time.sleep(0.6)
        connect(connection)

    monkeypatch.setattr(http.client.HTTPConnection, "connect", slow)
    with receiving() as server, pytest.raises(NotTaken, match="no answer within"):
        post(urlsplit(server.url), b"{}", {}, 0.3)
    assert server.posted == [], "it is told as not taken, and sent once more: it must not have arrived"


def test_the_query_goes_with_the_path_and_no_path_is_the_root() -> None:
    with receiving() as server:
        place = f"http://127.0.0.1:{server.port}"
        for url in (f"{place}/a/b?room=7&x=%20", f"{place}?room=7", place):
            post(urlsplit(url), b"{}", {}, 5.0)
    assert [one.path for one in server.posted] == ["/a/b?room=7&x=%20", "/?room=7", "/"]


def test_of_where_an_answer_points_the_host_alone_is_told() -> None:
    moved = say(302, Location="https://hooks.example.org/T0K3N-that-is-secret")
    with receiving(moved) as server, pytest.raises(NotTaken, match=r"another: https://hooks\.example\.org$") as error:
        post(urlsplit(server.url), b"{}", {}, 5.0)
    assert len(server.posted) == 1
    assert "T0K3N" not in f"{error.value} {error.value.hint}"


def test_how_long_it_asks_to_be_left_alone_is_kept() -> None:
    with receiving(say(503, b"busy", **{"Retry-After": "120"})) as server, pytest.raises(NotTaken) as error:
        post(urlsplit(server.url), b"{}", {}, 5.0)
    assert error.value.after == 120.0
    assert str(error.value) == "it says 503 (again in 2 min): busy"
    past = formatdate(time.time() - 3600, usegmt=True)
    assert seconds_of(past) == 0.0, "a date that is over asks for no wait"

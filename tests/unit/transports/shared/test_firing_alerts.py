"""Which alerts fire is asked within a bound; whatever is no clear answer is an error, never "none"."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.receiving import drip, hang_up, noise, receiving, say

from memrunbook.core.errors import Unreachable
from memrunbook.transports.shared.firing_alerts import LARGEST, firing_alerts


def vector(*names: str) -> bytes:
    rows = [{"metric": {"alertname": name}, "value": [0, "1"]} for name in names]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": rows}}).encode()


def base(url: str) -> str:
    return url.removesuffix("/hook")


def test_the_names_of_those_that_fire_each_once_as_they_may_be_shown() -> None:
    with receiving(say(200, vector("Full", "Disk", "Full", "a\x1b[31m"))) as server:
        assert firing_alerts(f"{base(server.url)}/", 'severity="page"') == ("Disk", "Full", r"a\x1b[31m")
    asked = urlsplit(server.posted[0].path)
    assert asked.path == "/api/v1/query"
    assert parse_qs(asked.query)["query"] == ['ALERTS{alertstate="firing",severity="page"}']


def test_none_fires() -> None:
    with receiving(say(200, vector())) as server:
        assert firing_alerts(base(server.url), "") == ()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (say(500), "it answers 500"),
        (say(200, b'{"status": "success", "data": {"result": [{"metric": {}}]}}'), "none of Prometheus"),
        (say(200, b'{"status": "error"}'), "none of Prometheus"),
        (say(200, b"[]"), "none of Prometheus"),
        (say(200, b"<html>"), "none of Prometheus"),
        (say(200, b"[" * (LARGEST + 1)), "larger than 1 MiB"),
        (hang_up, "which alerts fire cannot be asked"),
        (noise, "which alerts fire cannot be asked"),
    ],
)
def test_what_is_no_answer_is_an_error_and_not_none(answer: Any, told: str) -> None:
    with receiving(answer) as server, pytest.raises(Unreachable, match=told):
        firing_alerts(base(server.url), "")


def test_who_sends_a_byte_now_and_then_holds_no_firing_up() -> None:
    begun = time.monotonic()
    with receiving(drip) as server, pytest.raises(Unreachable, match="took too long"):
        firing_alerts(base(server.url), "", 1.0)
    assert time.monotonic() - begun < 5.0


def test_an_answer_that_grows_slowly_ends_too() -> None:
    def grows(request: Any) -> None:
        request.send_response(200)
        request.end_headers()
        drip(request)

    begun = time.monotonic()
    with receiving(grows) as server, pytest.raises(Unreachable, match="took too long"):
        firing_alerts(base(server.url), "", 1.0)
    assert time.monotonic() - begun < 5.0

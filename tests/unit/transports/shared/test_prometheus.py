"""A Prometheus server is asked, bounded in bytes and time; whatever else answers there is told in words."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from memrunbook.core.errors import HostError, UsageError
from memrunbook.transports.shared.prometheus import FIGURES, MOST_POINTS, NoAnswerError, PrometheusServer, matcher

Answering = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(answer: Answering) -> Iterator[str]:
    """A server of this test's own on a loopback address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_args: object) -> None:
            """Nothing is printed."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        listening.server_close()


def says(text: str, status: int = 200, **headers: str) -> Answering:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(text.encode())
        except OSError:
            return  # whoever asked has heard enough

    return answer


def matrix(*values: tuple[float, str], instances: tuple[str, ...] = ("web1:9100",)) -> str:
    rows = [{"metric": {"instance": name}, "values": [list(value) for value in values]} for name in instances]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}})


def test_the_series_of_one_host_are_read_for_every_figure() -> None:
    asked: list[dict[str, list[str]]] = []
    tokens: list[str | None] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(parse_qs(urlsplit(handler.path).query))
        tokens.append(handler.headers["Authorization"])
        says(matrix((1000, "2048"), (1300, "NaN"), (1600, "4096")))(handler)

    with server(answer) as url:
        found = PrometheusServer(url, "secret").checked().series(matcher("web1"), 1000.0, 4000.0)
    assert {one.figure for one in found} == {figure for _, figure in FIGURES.values()}
    assert [(point.at, point.value) for point in found[0].points] == [(1000, 2048), (1600, 4096)]
    assert asked[0]["query"] == ['node_memory_MemAvailable_bytes{instance=~"web1(:[0-9]+)?"}']
    assert (asked[0]["start"], asked[0]["step"]) == (["1000"], ["300"])
    assert set(tokens) == {"Bearer secret"}


def test_a_year_is_asked_in_steps_that_it_answers() -> None:
    steps: list[float] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        steps.append(float(parse_qs(urlsplit(handler.path).query)["step"][0]))
        says(matrix())(handler)

    with server(answer) as url:
        assert PrometheusServer(url).series("a", 0.0, 365 * 86400.0) == ()
    assert 365 * 86400.0 / steps[0] <= MOST_POINTS


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says("", 401), "it answers 401"),
        (says('{"status":"error","error":"parse error: unexpected }"}', 422), "it answers 422: parse error"),
        (says("", 302, Location="http://127.0.0.1:1/"), "it answers 302"),
        (says("<html>"), "not that of Prometheus"),
        (says('{"data": {"result": [{"values": [["x", 1]]}]}}'), "not that of Prometheus"),
        (says('{"data": {"result": 5}}'), "not that of Prometheus"),
        (says(" " * (5 << 20)), "larger than 4 MiB"),
    ],
)
def test_what_is_no_answer_is_told(answer: Answering, why: str) -> None:
    with server(answer) as url, pytest.raises(HostError, match=why):
        PrometheusServer(url).series("a", 0.0, 1.0)


def test_a_slow_answer_is_not_waited_for() -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(40):
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.1)

    began = time.monotonic()
    with server(drip) as url, pytest.raises(HostError, match="too long"):
        PrometheusServer(url, seconds=0.5).series("a", 0.0, 1.0)
    assert time.monotonic() - began < 4.0


def test_nobody_listens() -> None:
    with pytest.raises(HostError, match="it does not answer"):
        PrometheusServer("http://127.0.0.1:9").series("a", 0.0, 1.0)


def test_matchers_that_fit_several_hosts_are_refused_with_their_names() -> None:
    several = says(matrix((1, "1"), instances=("web1:9100", "web2:9100")))
    with server(several) as url, pytest.raises(UsageError, match='="web1:9100"; instance="web2:9100"'):
        PrometheusServer(url).series('job="node"', 0.0, 1.0)


@pytest.mark.parametrize("url", ["ftp://a", "web1:9090", "https://user:secret@a", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        PrometheusServer(url).checked()
    assert "secret" not in str(refused.value)
    assert ("do not belong into the address" in str(refused.value)) == ("secret" in url)


def test_a_token_is_sent_over_https_or_to_this_machine_only() -> None:
    with pytest.raises(UsageError, match="https only"):
        PrometheusServer("http://metrics.example:9090", "secret").checked()
    for url in ("https://metrics.example", "http://127.0.0.1:9090", "http://localhost:9090"):
        assert PrometheusServer(url, "secret").checked().token


def rows(*labels: dict[str, str], times: tuple[tuple[float, ...], ...]) -> str:
    found: list[dict[str, Any]] = [
        {"metric": {"instance": "web1:9100", **more}, "values": [[at, str(at)] for at in known]}
        for more, known in zip(labels, times, strict=True)
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": found}})


PODS = {"pod": "exporter-b"}, {"pod": "exporter-a"}


def test_a_host_whose_exporter_has_a_new_pod_has_one_series() -> None:
    with server(says(rows(*PODS, times=((1200, 1500, 1800), (300, 600, 1200))))) as url:
        found = PrometheusServer(url).series(matcher("web1"), 0.0, 3000.0)
    assert [point.at for point in found[0].points] == [300, 600, 1200, 1500, 1800]


def test_series_of_one_host_at_one_time_are_told_by_what_tells_them_apart() -> None:
    jobs = rows({"job": "a", "dc": "x"}, {"job": "b", "dc": "x"}, times=((300, 3000), (600, 2700)))
    with server(says(jobs)) as url, pytest.raises(UsageError, match='fits 2 series: job="a"; job="b"') as refused:
        PrometheusServer(url).series(matcher("web1"), 0.0, 3000.0)
    assert refused.value.hint == """choose one: --match 'instance=~"web1(:[0-9]+)?",job="a"'"""
    later = rows({"instance": "web2"}, {"instance": "web1"}, times=((300, 600), (2700, 3000)))
    with server(says(later)) as url, pytest.raises(UsageError, match='instance="web1"; instance="web2"'):
        PrometheusServer(url).series('job="node"', 0.0, 3000.0)


def test_a_redirect_names_the_address_to_ask() -> None:
    away = says("", 302, Location="https://metrics.example/prom/api/v1/query_range?query=x")
    with server(away) as url, pytest.raises(NoAnswerError) as told:
        PrometheusServer(url).series("a", 0.0, 1.0)
    assert "it points to https://metrics.example/prom: " in told.value.hint


def test_a_name_is_no_pattern() -> None:
    assert matcher("web1.example") == 'instance=~"web1\\\\.example(:[0-9]+)?"'

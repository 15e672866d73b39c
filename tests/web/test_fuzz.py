"""Thousands of requests of all kinds: none is an error of ours, and none shows a traceback."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.types import Message
from tests.cli.test_old_journals import OLD
from tests.web.pages import ALERTS, TOKEN, Site
from tests.web.test_pages import PLACES, a_run
from tests.web.waiting import Office

REQUESTS = 3000
PIECES = [
    "..", "%2e%2e", "%00", "%0d%0aX: y", "%ff", "//", "\\", "x" * 900, "runs", "hosts", "api", "v1", "static", OLD.name,
    "db7", "_0123", "events", "pending", "PLAN", "approve", "challenge", "decline", "apply", "schedules", "pause",
    "?next=//evil.example", "?link=%f0%9f", "?a=1&a=2", ";x", "#y", "*", "~root", "'", "<b>",
]  # fmt: skip
KINDS = [b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data", b"", b"\xff" * 300]


@pytest.mark.slow
def test_no_request_is_an_error_of_ours(tmp_path: Path) -> None:
    chance = random.Random(7)
    office = Office(tmp_path)
    office.waits()
    site = office.site
    a_run(site.state)
    client, _ = site.as_person("operator", "ada")
    cookie = f"runbook_session={client.cookies['runbook_session']}".encode()
    seen = asyncio.run(_all(office, chance, cookie))
    assert office.approvals == []
    assert not (site.state / "asked.jsonl").exists()
    assert site.defects == []
    assert {200, 303, 401, 404, 405, 413, 421} <= seen.keys(), seen
    assert sum(seen.values()) == REQUESTS


async def _all(office: Office, chance: random.Random, cookie: bytes) -> dict[int, int]:
    seen: dict[int, int] = {}
    for _ in range(REQUESTS):
        scope, body = _scope(chance, cookie, office.digest)
        status, headers, content = await _asked(office.site, scope, body)
        assert status < 500 or status == 503, scope
        assert b"Traceback" not in content
        assert b"content-security-policy" in headers
        seen[status] = seen.get(status, 0) + 1
    return seen


def _scope(chance: random.Random, cookie: bytes, digest: str) -> tuple[dict[str, Any], bytes]:
    """A request as a server hands it over, whatever a client may have made of it."""
    raw, _, query = _place(chance).replace("PLAN", digest).encode("utf-8").partition(b"?")
    body = chance.randbytes(chance.choice([0, 3, 200, 20_000])) if chance.random() < 0.3 else b""
    host = chance.choice([b"127.0.0.1:8642"] * 9 + [b"evil.example", b"", b"\xff"])
    headers = [(b"host", host), (b"x-renewed", b"yes")]
    headers += [(b"cookie", chance.choice([cookie, cookie, b"runbook_session=x", b"\xff;=;", b"a" * 3000]))]
    headers += [(b"content-type", chance.choice(KINDS))] if body else []
    headers += [
        (
            b"authorization",
            chance.choice([b"Bearer", b"Basic x", b"\xff", b"Bearer " + TOKEN.encode(), b"Bearer " + ALERTS.encode()]),
        )
    ]
    headers += [(b"content-length", chance.choice([b"x", b"-1", b"9" * 40]))] if chance.random() < 0.05 else []
    method = chance.choice(["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "\xff"])
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(raw.decode("ascii", "replace")), "raw_path": raw, "query_string": query, "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8642),
    }  # fmt: skip
    return scope, body


async def _asked(site: Site, scope: dict[str, Any], body: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await site.guard(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(one.get("body", b"") for one in sent[1:])


def _place(chance: random.Random) -> str:
    if chance.random() < 0.2:
        acts = [f"/pending/PLAN{act}" for act in ("", "/challenge", "/approve", "/decline", "/apply")]
        return chance.choice(
            [
                *PLACES,
                *acts,
                "/alerts",
                "/schedules/night/pause",
                "/sign-in",
                "/sign-out",
                "/static/live.js",
                "/api/v1/runs",
            ]
        )
    return "/" + "/".join(chance.choice(PIECES) for _ in range(chance.randint(1, 4)))

"""Telling: what leaves is clean and bounded, it raises nothing, and waits where it is not taken."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from msgspec import structs
from tests.receiving import drip, receiving

from memrunbook.app import notifying
from memrunbook.app.notifying import EVIDENCE, LINE, safe, send_waiting, tell, told, waiting
from memrunbook.core.errors import JournalError
from memrunbook.core.run.notification import Notification
from memrunbook.documents.library import Library
from memrunbook.state.store import notifications as kept

SILENT = Notification(occasion="dead-man", key="dead-man nightly", at=5.0, verdict="nightly: the scheduler stopped")


def library(folder: Path, *urls: str) -> Library:
    receivers = [{"name": f"hook{n}", "way": "webhook", "url": url, "hosts": "db*"} for n, url in enumerate(urls)]
    (folder / "config.yaml").write_text(json.dumps({"notify": receivers}))
    return Library(settings=folder / "config.yaml")


def test_what_is_told_is_sent_once_and_what_is_about_no_host_to_everybody(tmp_path: Path) -> None:
    with receiving() as server:
        known = library(tmp_path, server.url)
        tell([SILENT, SILENT], tmp_path / "state", known)
        tell([], tmp_path / "state", known)
        assert send_waiting(tmp_path / "state", known).taken == 0
    [posted] = server.posted
    assert json.loads(posted.body)["verdict"] == SILENT.verdict
    [one] = waiting(tmp_path / "state", known)
    assert (one.state, one.seen) == ("sent", 2)


def test_nobody_to_tell_makes_no_state(tmp_path: Path) -> None:
    tell([SILENT], tmp_path / "state", Library())
    assert not (tmp_path / "state").exists()
    assert waiting(tmp_path / "state", Library()) == []


def test_a_telling_ends_at_its_bound_whoever_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "BOUND", 1.5)
    with receiving(drip) as slow, receiving() as well:
        known = library(tmp_path, slow.url, slow.url, well.url)
        began = time.monotonic()
        tell([SILENT], tmp_path / "state", known)
        assert time.monotonic() - began < 10  # the store is made in it too
        assert len(well.posted) == 1
    states = {one.receiver: one.state for one in waiting(tmp_path / "state", known)}
    assert states == {"hook0": "waiting", "hook1": "waiting", "hook2": "sent"}


def test_what_leaves_is_without_secrets_on_one_line_and_bounded() -> None:
    hostile = Notification(
        occasion="failed",
        key="k",
        at=5.0,
        verdict="password=zirconium-42\x1b[31m\n" + "x" * 2000,
        host="we\nb1",
        evidence=tuple(f"line {n}\u202e" for n in range(EVIDENCE + 9)),
        command="runbook report R1",
    )
    clean = safe(hostile)
    assert "zirconium" not in clean.verdict
    assert len(clean.verdict) == LINE
    texts = [clean.verdict, clean.host, *clean.evidence]
    assert all(text.isprintable() for text in texts)
    assert (len(clean.evidence), clean.evidence[-1]) == (EVIDENCE + 1, "and 9 more lines")
    assert clean.command == "runbook report R1"


def test_two_messages_that_cannot_be_queued_have_two_keys_and_what_was_sent_is_not_sent_past_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise JournalError("the store is locked")

    two = [SILENT, structs.replace(SILENT, key="other", verdict="other")]
    with receiving() as server:
        known = library(tmp_path, server.url)
        monkeypatch.setattr(kept, "put_back", busy)
        assert told(two, tmp_path / "state", known) == ("what came of telling cannot be kept: the store is locked",)
        assert len(server.posted) == 2
        monkeypatch.setattr(kept, "queue", busy)
        told(two, tmp_path / "state", known)
    assert len({one.headers["Idempotency-Key"] for one in server.posted}) == 4


def test_what_is_sent_and_cannot_be_remembered_is_not_said_to_be_its_receivers_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise JournalError("the store is locked")

    monkeypatch.setattr(kept, "sent", busy)
    with receiving() as server:
        known = library(tmp_path, server.url)
        told([SILENT, structs.replace(SILENT, key="other")], tmp_path / "state", known)
    assert len(server.posted) == 1
    assert {(one.state, one.attempts) for one in waiting(tmp_path / "state", known)} == {("waiting", 0)}

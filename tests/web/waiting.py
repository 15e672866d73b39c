"""A plan that waits on the pages, made without a host, and people with passkeys who answer for it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from starlette.testclient import TestClient
from tests.cli.books import act, book
from tests.cli.console import WORDS
from tests.lab.scripted import at
from tests.lab.small import runbook, snapshot, step
from tests.passkey import Passkey
from tests.web.pages import Site

from memrunbook.core.action.action import Risk
from memrunbook.core.host import Host
from memrunbook.core.instant import Instant
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.plan.saved import SavedPlan
from memrunbook.documents.library import Library
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.approvals import SignedApproval, read_approvals
from memrunbook.state.known_passkeys import KnownPasskey, add_passkey
from memrunbook.state.plans import load_plan, save_plan
from memrunbook.state.waiting import plan_path
from memrunbook.web.base64url import packed

ORIGIN = "http://localhost:8642"
HOSTILE = "<img src=x onerror=alert(1)>[/bold]\nFile: none"
"""A name of a process or a unit that would be somebody else's page."""


@dataclass
class Office:
    """Pages with a plan of carol's, and the passkeys of those whose approval counts."""

    folder: Path
    rules: str = "  - {risk: low, people: 1}\n"
    people: Sequence[str] = ("ada", "bob", "carol")
    timetable: str = ""
    program: Sequence[str] = tuple(WORDS)
    keys: dict[str, Passkey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = {name: Passkey("localhost", ORIGIN) for name in self.people}
        self.config = self.folder / "config"
        self.config.mkdir()
        (self.config / "allowed_signers").write_text("".join(key.line(name) for name, key in self.keys.items()))
        self.asks(self.rules)
        self.book = book(self.folder, act("one", "true"))
        (self.config / "schedules.yaml").write_text(f"schedules:\n  {self.timetable}" if self.timetable else "")
        times = self.config / "schedules.yaml" if self.timetable else None
        self.library = Library(settings=self.config / "config.yaml", timetable=times)
        self.site = Site(self.folder / "state", library=self.library, program=self.program)
        for name, key in self.keys.items():
            add_passkey(self.site.state, registered(name, key))

    def asks(self, rules: str) -> None:
        text = f"approvals:\n{rules}allowed_signers: allowed_signers\n" if rules else "reason: optional\n"
        (self.config / "config.yaml").write_text(text)

    def waits(self, *hosts: str, risk: Risk = Risk.LOW, until: float = 3600.0, **changes: Any) -> Path:
        """A plan of carol's for these hosts; `changes` are of its change."""
        now = SystemClock().now()
        made = make_plan(runbook(step("one")), snapshot(0.0, **at(5.0, "web")))
        [one] = made.changes
        assert one.change is not None
        change = msgspec.structs.replace(one.change, **{"risk": risk, **changes})
        plans = tuple(
            msgspec.structs.replace(
                made, host=host, steps=(msgspec.structs.replace(one, change=change),), taken_at=Instant(now.utc, 0.0),
                expires_at=now.utc + until, runbook_digest=self.library.digest(self.book),
            )
            for host in hosts or ("db7",)
        )  # fmt: skip
        path = plan_path(self.site.state, "night", "x")
        named = tuple(map(Host, hosts or ("db7",)))
        saved = SavedPlan(
            engine="0", creator="carol", control_node="ctl", runbook=self.book, hosts=named, plans=plans,
            digests=tuple(tuple(found.digest for found in plan.changes) for plan in plans),
        )  # fmt: skip
        save_plan(path, saved)
        return path

    @property
    def _path(self) -> Path:
        return self.site.state / "waiting" / "night@x.json"

    @property
    def digest(self) -> str:
        return load_plan(self._path).digest

    @property
    def approvals(self) -> list[SignedApproval]:
        return read_approvals(self._path)

    def page(self, client: TestClient) -> str:
        answer = client.get(f"/pending/{self.digest}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def form(self, person: str, client: TestClient, csrf: str, **fields: str) -> dict[str, str]:
        """What the page's script sends once the passkey of this person has answered."""
        asked = client.get(f"/pending/{self.digest}/challenge")
        assert asked.status_code == 200, asked.text
        told = asked.json()
        assert told["credentials"] == [packed(person.encode())]
        answer = self.keys[person].answers(base64.urlsafe_b64decode(told["challenge"] + "=="))
        return {
            "csrf": csrf,
            "digest": self.digest,
            "credential": packed(person.encode()),
            "authenticator_data": packed(answer.authenticator_data),
            "client_data": packed(answer.client_data),
            "signature": packed(answer.signature),
            "yes-1-1": "yes",
            **fields,
        }

    def approved(self, person: str, **fields: str) -> tuple[int, str]:
        """What comes of an approval; its status and the words of the page."""
        client, session = self.site.as_person("approver", person)
        answer = client.post(f"/pending/{self.digest}/approve", data=self.form(person, client, session.csrf, **fields))
        return answer.status_code, said(answer.text)


def registered(person: str, passkey: Passkey) -> KnownPasskey:
    """A passkey as it is kept."""
    return KnownPasskey(
        person=person,
        credential=packed(person.encode()),
        key=base64.b64encode(passkey.key.blob).decode(),
        relying_party=passkey.relying_party,
        at="2026-11-29T10:00:00Z",
    )


def said(page: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def changed(fields: dict[str, str], **words: Any) -> dict[str, str]:
    """The same answer where the browser's words are other ones."""
    told = json.loads(base64.urlsafe_b64decode(fields["client_data"] + "=="))
    return {**fields, "client_data": packed(json.dumps({**told, **words}, separators=(",", ":")).encode())}

"""The pages of a state directory, asked within this process."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient
from tests.cli.console import WORDS

from memrunbook.app.shown_pending import PlanCommands
from memrunbook.cli.exit_codes import most_severe
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.documents.library import Library
from memrunbook.documents.roles import Role
from memrunbook.documents.serving import Serving
from memrunbook.web.guard import PageGuard
from memrunbook.web.live import Streams
from memrunbook.web.served import ServedState
from memrunbook.web.server import Pages
from memrunbook.web.sessions import Sessions, SignedIn
from memrunbook.web.signing import SignInDesk
from memrunbook.web.work import Work

BASE = "http://127.0.0.1:8642"
ALERTS = "a-token-of-alerts-01234567890"
TOKEN = "a-token-of-programs-0123456789"
COMMANDS = PlanCommands(
    approve=lambda one: f"runbook approve {one.path}",
    apply=lambda one: f"runbook apply {one.path}",
    decline=lambda one: f"runbook pending --decline {one.id}",
    again=lambda one: f"runbook plan {one.runbook} --host {one.host}",
)


@dataclass
class Site:
    """A server without sockets; `defects` are the errors of ours that it met, `told` what it said, `now` its clock."""

    state: Path
    inventory: Inventory = field(default_factory=Inventory)
    serving: Serving = field(default_factory=Serving)
    secure: bool = False
    secret: str = ""
    defects: list[Exception] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    now: float = field(default_factory=lambda: float(int(time.monotonic())))
    library: Library = field(default_factory=Library)
    program: Sequence[str] = tuple(WORDS)
    alerts: str = ALERTS

    def __post_init__(self) -> None:
        self.state.mkdir(mode=0o700, exist_ok=True)
        self.sessions = Sessions(lambda: self.now, self.serving.idle, self.serving.lifetime)
        served = ServedState(
            library=self.library,
            state=self.state,
            store="",
            inventory=self.inventory,
            sources=(),
            words=["--state-dir", str(self.state)],
            commands=COMMANDS,
            severest=most_severe,
            defect=self.defects.append,
            say=self.told.append,
            serving=self.serving,
            program=self.program,
        )
        behind = bool(self.serving.trusted_proxies)
        self.desk = SignInDesk(self.sessions, self.state, self.secure or behind, self.serving, self.secret)
        app = Pages(served, self.desk, Work(), Streams(), TOKEN, self.alerts).application()
        names = {"127.0.0.1", "localhost", *self.serving.names}
        self.guard = PageGuard(app, names, self.defects.append, self.serving.trusted_proxies, secure=self.secure)

    def client(self, base: str = BASE, **options: Any) -> TestClient:
        """A browser that follows nothing by itself."""
        return TestClient(self.guard, base_url=base, follow_redirects=False, **options)

    def signed_in(self) -> TestClient:
        """A browser with a session."""
        client = self.client()
        answer = client.post("/sign-in", data={"link": self.link(), "next": "/"})
        assert answer.status_code == 303, answer.text
        return client

    def as_person(self, role: Role, person: str = "", how: str = "passkey") -> tuple[TestClient, SignedIn]:
        """A browser with a session of this role, and the session."""
        client = self.client("http://localhost:8642")
        token, session = self.sessions.begin(role, how, person)
        client.cookies.set(self.desk.cookie, token)
        return client, session

    def link(self) -> str:
        """A token that signs in once."""
        return self.desk.link().partition("link=")[2]


def csrf(page: str) -> str:
    """The proof in the form of a page."""
    [found] = re.findall(r'name="csrf" value="([\w-]+)"', page)
    return str(found)

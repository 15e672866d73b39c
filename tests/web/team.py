"""People with passkeys in browsers of their own, a host to log in to, and a plan for it that waits."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.cli.books import act, book
from tests.cli.console import MAIN, environment, here
from tests.cli.test_serve import Serving
from tests.passkey import Passkey
from tests.sshd import Sshd, free_port
from tests.web.waiting import registered

from memrunbook.app.pending_plans import PendingArguments, PendingPlan, pending
from memrunbook.documents.library import Library
from memrunbook.state.known_passkeys import add_passkey
from memrunbook.state.paths import prepare
from memrunbook.web.plan_desk import coded

ROLES = {"ada": "approver", "bob": "approver", "olga": "operator"}
AS_SOMEBODY = f"""
import os, pathlib
from memrunbook.web import sessions
begin = sessions.Sessions.begin
def as_named(self, role, how, person=""):
    role, person = pathlib.Path(os.environ["TESTS_NEXT_PERSON"]).read_text().split()
    return begin(self, role, "passkey", person)
sessions.Sessions.begin = as_named
{MAIN}"""
"""The server, where whoever uses a link is the person whom a file names: how people sign in is tried elsewhere."""
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@dataclass
class Team:
    """A state directory, its configuration, and who is there; `text` is what the runbook's file says."""

    folder: Path
    sshd: Sshd
    people: int = 1
    command: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    keys: dict[str, Passkey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state, self.config, self.home = (self.folder / name for name in ("state", "config", "home"))
        self.home.mkdir()
        self.config.mkdir()
        prepare(self.state)
        self.keys = {name: Passkey("localhost", self.base) for name in ROLES}
        (self.config / "allowed_signers").write_text("".join(key.line(name) for name, key in self.keys.items()))
        reach = {"identity": "id", "known_hosts": "known_hosts", "ssh_config": "config"}
        defaults = {name: str(self.sshd.folder / file) for name, file in reach.items()}
        (self.config / "config.yaml").write_text(
            f"approvals: [{{risk: low, people: {self.people}}}]\nallowed_signers: allowed_signers\n"
            f"defaults: {json.dumps(defaults)}\n"
        )
        for name, key in self.keys.items():
            add_passkey(self.state, registered(name, key))

    @property
    def base(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def words(self) -> tuple[str, ...]:
        return ("--state-dir", str(self.state), "--config-dir", str(self.config))

    def planned(self, *command: str) -> PendingPlan:
        """A plan that a run of root's left, where its gate could ask nobody; `command` is what it would do."""
        named = Path(book(self.folder, act("one", "COMMAND", timeout="30s")))
        named.write_text(named.read_text().replace("['COMMAND']", json.dumps(command)))
        ran = here("run", str(named), self.sshd.arguments[0], *self.words)
        assert ran.code == 5, ran.said
        library = Library(settings=self.config / "config.yaml")
        [plan] = pending(PendingArguments(state=self.state, library=library))
        return plan

    @contextmanager
    def serving(self) -> Iterator[Serving]:
        """The server as a process; ended at the latest here, without what it has started."""
        log, person = self.folder / f"serve-{time.monotonic_ns()}.log", self.folder / "person"
        words = [sys.executable, "-c", AS_SOMEBODY, "serve", *self.words, "--bind", f"localhost:{self.port}"]
        with log.open("wb") as file:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=environment(TESTS_NEXT_PERSON=str(person)),
            )  # fmt: skip
        try:
            yield Serving(process, log)
        finally:
            process.kill()
            process.wait()

    def signed_in(self, browser: Any, server: Serving, name: str, width: int = 1280) -> Any:
        """A tab of this person in a browser of their own, with their passkey in an authenticator."""
        tab = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        tab.set_default_timeout(60_000)
        (self.folder / "person").write_text(f"{ROLES[name]} {name}")
        links = len(server.links())
        server.process.send_signal(10)
        tab.goto(server.links(links + 1)[-1])
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_url(f"{self.base}/")
        self._authenticator(tab, name)
        return tab

    def _authenticator(self, tab: Any, name: str) -> None:
        session = tab.context.new_cdp_session(tab)
        session.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                   "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        secret = self.keys[name].secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        credential = {"credentialId": _base64(coded(name.encode())), "isResidentCredential": True, "rpId": "localhost",
                      "privateKey": base64.b64encode(secret).decode(), "userHandle": _base64(coded(name.encode())),
                      "signCount": 1}  # fmt: skip
        session.send("WebAuthn.addCredential", {**made, "credential": credential})


def _base64(coded: str) -> str:
    return base64.b64encode(base64.urlsafe_b64decode(f"{coded}==")).decode()


def tab_to(tab: Any, words: str) -> None:
    """Goes by the Tab key alone to what is called so."""
    named = "(() => { const one = document.activeElement; return (one.labels?.[0] ?? one).textContent; })()"
    for _ in range(80):
        tab.keyboard.press("Tab")
        if words in (tab.evaluate(named) or ""):
            return
    raise AssertionError(f"no Tab leads to {words!r}: {tab.inner_text('body')}")

"""People with passkeys in browsers of their own, a host to log in to, and a plan for it that waits."""

from __future__ import annotations

import base64
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.cli.books import act, book
from tests.cli.console import here
from tests.cli.test_serve import Serving, serving
from tests.passkey import Passkey
from tests.sshd import Sshd, free_port
from tests.web.waiting import registered

from memrunbook.app.pending_plans import PendingArguments, PendingPlan, pending
from memrunbook.documents.library import Library
from memrunbook.state.known_passkeys import add_passkey
from memrunbook.state.paths import prepare
from memrunbook.web.passkey_answers import handle_of

PEOPLE = ("ada", "bob", "olga")
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
        self.keys = {name: Passkey("localhost", self.base) for name in PEOPLE}
        (self.config / "allowed_signers").write_text("".join(key.line(name) for name, key in self.keys.items()))
        reach = {"identity": "id", "known_hosts": "known_hosts", "ssh_config": "config"}
        defaults = {name: str(self.sshd.folder / file) for name, file in reach.items()}
        (self.config / "config.yaml").write_text(
            f"approvals: [{{risk: low, people: {self.people}}}]\nallowed_signers: allowed_signers\n"
            f"defaults: {json.dumps(defaults)}\nserve: {{roles: {{approver: [ada, bob], operator: [olga]}}}}\n"
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
        named = Path(book(self.folder, act("one", "COMMAND", timeout="5m")))
        named.write_text(named.read_text().replace("['COMMAND']", json.dumps(command)))
        ran = here("run", str(named), self.sshd.arguments[0], *self.words)
        assert ran.code == 5, ran.said
        library = Library(settings=self.config / "config.yaml")
        [plan] = pending(PendingArguments(state=self.state, library=library))
        return plan

    def serving(self) -> AbstractContextManager[Serving]:
        """The server as a process; ended at the latest then, without what it has started."""
        return serving(self.folder, *self.words, "--bind", f"localhost:{self.port}")

    def signed_in(self, browser: Any, server: Serving, name: str, width: int = 1280) -> Any:
        """A tab of this person in a browser of their own, with their passkey, signed in."""
        tab = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        tab.set_default_timeout(120_000)
        self._authenticator(tab, name)
        self.sign_in(tab, server)
        return tab

    def sign_in(self, tab: Any, server: Serving) -> None:
        """By the passkey that the browser has, by the keyboard."""
        server.links()
        tab.goto(f"{self.base}/sign-in")
        tab_to(tab, "Sign in with a passkey")
        tab.keyboard.press("Enter")
        tab.wait_for_url(f"{self.base}/")

    def _authenticator(self, tab: Any, name: str) -> None:
        session = tab.context.new_cdp_session(tab)
        session.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                   "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        secret = self.keys[name].secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        told = {"credentialId": name.encode(), "privateKey": secret, "userHandle": handle_of(name)}
        credential: dict[str, object] = {field: base64.b64encode(value).decode() for field, value in told.items()}
        credential |= {"isResidentCredential": True, "rpId": "localhost", "signCount": 1}
        session.send("WebAuthn.addCredential", {**made, "credential": credential})


def tab_to(tab: Any, words: str) -> None:
    """Goes by the Tab key alone to what is called so."""
    named = (
        "(() => { const one = document.activeElement; "
        "return one === document.body ? '' : (one.labels?.[0] ?? one).textContent; })()"
    )
    for _ in range(80):
        tab.keyboard.press("Tab")
        if words in (tab.evaluate(named) or ""):
            return
    raise AssertionError(f"no Tab leads to {words!r}: {tab.inner_text('body')}")

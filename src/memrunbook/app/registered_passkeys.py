"""Who is invited to register a passkey, which are registered, and whether their approvals count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from memrunbook.app.stored import settings_of
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library
from memrunbook.documents.roles import PERSON
from memrunbook.documents.serving import Serving
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.invites import invite
from memrunbook.state.known_passkeys import KnownPasskey, known_passkeys, remove_passkey
from memrunbook.state.paths import prepare
from memrunbook.state.sign_ins import SignIn, SignInEvent, record_sign_in
from memrunbook.state.signatures import FaultySignatureError
from memrunbook.state.signers import Signers
from memrunbook.transports.shared.this_user import this_user

USUAL = "http://localhost:8642"


class Registered(NamedTuple):
    """A passkey, and why approvals with it do not count; empty where they do."""

    passkey: KnownPasskey
    fault: str


def invitation(library: Library, state: Path, name: str, url: str = "") -> str:
    """A link by which somebody registers a passkey; UsageError for who has no role, and for what is no address."""
    serving = settings_of(library).serve
    if not PERSON.fullmatch(name) or not name.isprintable():
        raise UsageError(f"{name!r} is no name of a person", where="NAME", hint="as allowed_signers has it: ada")
    if serving.roles.role_of(name) is None:
        hint = f"serve: {{roles: {{approver: [{name}]}}}} there, or viewer, or operator; then start runbook serve anew"
        raise UsageError(
            f"config.yaml gives {name} no role: nobody could sign in by that name", where="NAME", hint=hint
        )
    base = _base(url or _usual(serving))
    prepare(state)
    now = SystemClock().now()
    _record(state, "invited", name)
    return f"{base}/register?invite={invite(state, name, now.utc)}"


def registered(library: Library, state: Path) -> Sequence[Registered]:
    """Every passkey, in the order in which they were registered."""
    config = settings_of(library)
    signers = Signers.read_all(config.allowed_signers, config.revoked_keys)
    return [Registered(one, _fault(one, signers)) for one in known_passkeys(state)]


def removed(state: Path, credential: str) -> KnownPasskey:
    """Takes one away, by the beginning of its id; UsageError where that names none, or several."""
    found = [one for one in known_passkeys(state) if credential and one.credential.startswith(credential)]
    if len(found) != 1:
        what = "several passkeys have an id that begins so" if found else "no passkey has this id"
        raise UsageError(what, where=f"ID {credential}", hint="runbook passkey list shows each with its id")
    [one] = found
    _record(state, "removed", one.person)
    remove_passkey(state, one.credential, SystemClock().now().isoformat())
    return one


def _fault(one: KnownPasskey, signers: Signers) -> str:
    if not signers.named:
        return "config.yaml names no allowed_signers"
    try:
        return signers.fault(one.signing_key, one.person, SystemClock().now())
    except FaultySignatureError as error:
        return str(error)


def _usual(serving: Serving) -> str:
    """Where a browser reaches the pages, as far as config.yaml says that."""
    if not serving.names:
        return USUAL
    return f"https://{serving.names[0]}" if serving.trusted_proxies else f"https://{serving.names[0]}:8642"


def _base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
        raise UsageError(f"{url!r} is no address of these pages", where="--url", hint=f"as in {USUAL}")
    return f"{parts.scheme}://{parts.netloc}"


def _record(state: Path, event: SignInEvent, person: str) -> None:
    at = SystemClock().now().isoformat()
    record_sign_in(state, SignIn(at=at, event=event, how="passkey", person=person, why=f"by {this_user()}"))

"""Which ways to sign in there are, as a page offers them, and the name that a trusted proxy gives."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request

from memrunbook.documents.roles import PERSON
from memrunbook.documents.serving import Serving
from memrunbook.ui.html.element import Element, element
from memrunbook.web.passkeys_here import PasskeysHere
from memrunbook.web.tickets import Tickets

HOW, ANOTHER = "runbook serve prints a link that signs in once. For another one, send its process ", "SIGUSR1"
NO_NAME = "Passkeys need a name in the address of this page. On this machine: "
SIGN_IN = "sign in by a passkey"
SCRIPT = "passkey.js"


class WaysIn(NamedTuple):
    """What stands on the page, and the script that it needs."""

    parts: Sequence[Element]
    script: str = ""


def relying_party(request: Request) -> str:
    """The name of the host by which a browser came; empty where it came by a number, to which no passkey belongs."""
    host = (request.url.hostname or "").lower().rstrip(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return ""


def origin(request: Request) -> str:
    """Scheme, host and port by which a browser came, as it says them itself."""
    return f"{request.url.scheme}://{request.headers.get('host', '').lower()}"


def proxy_person(serving: Serving, request: Request) -> str:
    """Whom the proxy names, that the guard let through; empty where it names nobody, or not exactly one."""
    if not serving.proxy_header or not serving.trusted_proxies:
        return ""
    given = request.headers.getlist(serving.proxy_header)
    name = given[0].strip() if len(given) == 1 else ""
    return name if PERSON.fullmatch(name) and name.isprintable() and name.isascii() else ""


def offered(serving: Serving, passkeys: PasskeysHere, tickets: Tickets, request: Request, onward: str) -> WaysIn:
    """The ways that are there: a passkey where one is registered, the provider where one is named, a link always."""
    parts: list[Element] = []
    script = ""
    if passkeys.known() and relying_party(request):
        parts.append(_by_passkey(tickets, relying_party(request), onward))
        script = SCRIPT
    elif passkeys.known():
        there = f"http://localhost:{request.url.port}/" if request.url.port else "http://localhost/"
        parts.append(element("p", "", NO_NAME, element("a", "", there, href=there)))
    if serving.oidc is not None:
        place = f"/sign-in/oidc?next={onward}"
        told = f"Sign in at {serving.oidc.issuer.partition('//')[2].partition('/')[0]}"
        parts.append(element("p", "", element("a", "button", told, href=place)))
    by_link = element("p", "live" if parts else "", HOW, element("code", "", ANOTHER), ".")
    return WaysIn([element("div", "ways", *parts, by_link)], script)


def _by_passkey(tickets: Tickets, party: str, onward: str) -> Element:
    return element(
        "form", "", element("input", type="hidden", name="next", value=onward),
        element("input", type="hidden", name="answer", value=""),
        element("p", "", element("button", "primary", "Sign in with a passkey", type="submit")),
        element("p", "told", role="status", aria_live="polite"),
        method="post", action="/sign-in/passkey", data_ceremony="get", data_challenge=tickets.issue(SIGN_IN),
        data_party=party,
    )  # fmt: skip

"""Posts the JSON document of a message to an URL."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta

from memrunbook.receivers.shared.receiver import Message, NotTaken, Receiver
from memrunbook.receivers.shared.secret import hide, secret
from memrunbook.version import __version__

OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "authorization"})
"""Headers that nobody sets by config.yaml."""
SECRET = re.compile(r"key|token|secret|auth|password|cookie", re.IGNORECASE)
"""Headers whose values are hidden: a receiver may say what it was sent."""
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
HeaderValue = Annotated[str, Meta(pattern=r"^[\x21-\x7e]([\x20-\x7e]{0,500}[\x21-\x7e])?$")]


class Webhook(Receiver, frozen=True, kw_only=True, tag="webhook"):
    """An URL that is posted to. What is secret of it is named by a file, or a variable of the environment."""

    url: Annotated[str, Meta(description="https://HOST[:PORT]/PATH, without a password")] = ""
    url_file: Annotated[str, Meta(description="a file that holds the URL, where that itself is the secret")] = ""
    url_variable: Annotated[str, Meta(description="a variable of the environment that holds it")] = ""
    token_file: Annotated[
        str, Meta(description="a file whose content is sent in the header Authorization, as Bearer")
    ] = ""
    token_variable: Annotated[str, Meta(description="a variable of the environment that holds that token")] = ""
    secret_file: Annotated[str, Meta(description="a file whose content signs the document (HMAC-SHA256)")] = ""
    secret_variable: Annotated[str, Meta(description="a variable of the environment that holds that secret")] = ""
    ca_file: Annotated[str, Meta(description="certificates (PEM) that are trusted instead of this machine's")] = ""
    headers: Annotated[
        dict[HeaderName, HeaderValue], Meta(max_length=20, description="headers that are sent besides")
    ] = {}  # noqa: RUF012  msgspec copies it
    plain_http: Annotated[
        bool, Meta(description="let http:// be used to other machines: everybody on the way reads")
    ] = False

    def problem(self) -> str:
        """What is wrong with the options taken together."""
        if sum(map(bool, (self.url, self.url_file, self.url_variable))) != 1:
            return "one of url, url_file and url_variable says where to post to"
        if ours := OURS.intersection(name.lower() for name in self.headers):
            return f"the header {min(ours)} is not for config.yaml to set; token_file names what is sent as Bearer"
        with suppress(NotTaken):
            if self.url and _parts(self.url).password is not None:
                return "there is a password in url: put the URL into a file, and name that: url_file"
        try:
            return "" if not self.url else self._checked(self.url) and ""
        except NotTaken as error:
            return error.message

    def send(self, message: Message, seconds: float) -> None:
        """Posts once. No other place is gone to: an answer that names one is an error."""
        from memrunbook.receivers.shared.posting import post  # ssl and http cost 30 ms that no other command pays

        parts = self._checked(self.url or secret(self.url_file, self.url_variable))
        post(parts, message.document, self._headers(message), seconds, self.ca_file)

    def _headers(self, message: Message) -> dict[str, str]:
        token = secret(self.token_file, self.token_variable)
        key = secret(self.secret_file, self.secret_variable)
        hide(*(value for name, value in self.headers.items() if SECRET.search(name)))
        if not (token.isascii() and token.isprintable()):
            raise NotTaken(f"what is in {self.token_file or f'${self.token_variable}'} is not one line of ASCII")
        return {
            **self.headers,
            "Content-Type": "application/json",
            "User-Agent": f"memrunbook/{__version__}",
            "Idempotency-Key": message.id,
            **({"Authorization": f"Bearer {token}"} if token else {}),
            **(_signature(key, message.document, time.time()) if key else {}),
        }

    def _checked(self, url: str) -> SplitResult:
        """Its parts; NotTaken for what cannot be posted to safely."""
        parts = _parts(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotTaken("this is no URL to post to: write https://HOST[:PORT]/PATH")
        if not url.isascii() or not url.isprintable() or " " in url:
            raise NotTaken("there are blanks or other characters in this URL that it cannot have")
        if parts.scheme == "http" and not self.plain_http and not _is_here(parts.hostname):
            raise NotTaken(
                "http:// to another machine is read by everybody on the way: use https://, or plain_http: true"
            )
        return parts


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise NotTaken("this is no URL: its host or port cannot be read") from None
    return parts


def _is_here(host: str) -> bool:
    """True for this machine itself."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _signature(key: str, document: bytes, now: float) -> Mapping[str, str]:
    """Who has the key can check that we sent this, and when: HMAC-SHA256 over the time, a dot, and the document."""
    at = f"{now:.0f}"
    signed = hmac.new(key.encode(), at.encode() + b"." + document, hashlib.sha256).hexdigest()
    return {"X-Memrunbook-Timestamp": at, "X-Memrunbook-Signature": f"sha256={signed}"}

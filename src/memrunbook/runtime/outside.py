"""Names of what lies outside the state directory: the database of the store, the log that lines are forwarded to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from memrunbook.runtime.redaction import redact

SERVER = re.compile(r"postgres(?:ql)?(?:\+\w+)?://(?=.)")
PASSWORD = re.compile(r"(//[^:/@\s]*):\S*@")
IN_QUERY = re.compile(r"(?i)[?&](?:ssl)?password=")
STORES = "write postgresql://USER@HOST/DATABASE, or the path of a file: /PATH/store.sqlite"
LOGS = "write journald, syslog, udp://HOST[:PORT] or tcp://HOST[:PORT]"
OF_THIS_MACHINE = frozenset({"journald", "syslog"})


def shown(place: str) -> str:
    """A place without its password, for people."""
    return redact(PASSWORD.sub(r"\1@", place))


def is_server(place: str) -> bool:
    """True for the URL of a database server."""
    return SERVER.match(place) is not None


def is_file(place: str) -> bool:
    """True for what names a file: a bare word is rather a URL that was mistyped."""
    return "://" not in place and ("/" in place or place.endswith(".sqlite"))


def holds_password(place: str) -> bool:
    """True for a URL that has a password in it."""
    return PASSWORD.search(place) is not None or IN_QUERY.search(place) is not None


def is_log(place: str) -> bool:
    """True for a log that lines can be forwarded to."""
    if place in OF_THIS_MACHINE:
        return True
    try:
        parts = urlsplit(place)
        return parts.scheme in ("udp", "tcp") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False

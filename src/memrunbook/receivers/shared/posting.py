"""Posts to an URL, once, within a time, and nowhere else."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from memrunbook.core.text import clean
from memrunbook.core.units import format_duration
from memrunbook.receivers.shared.receiver import NotTaken
from memrunbook.runtime.http_deadline import ended_after

ANSWER = 4096
"""Bytes of an answer that are looked at."""
SHOWN = 120
GOOD = range(200, 300)
MOVED = range(300, 400)


def post(place: SplitResult, document: bytes, headers: Mapping[str, str], seconds: float, ca_file: str = "") -> None:
    """Posts a document; NotTaken for every end but a good answer within so many seconds.

    Certificates are checked, by those of `ca_file` where one is named. An answer that names another place is an error.
    """
    path = f"{place.path or '/'}{'?' if place.query else ''}{place.query}"
    try:
        connection = _connection(place, seconds, ca_file)
        with closing(connection), ended_after(lambda: connection, seconds) as late:
            try:
                connection.connect()  # each address of a name is tried in turn, and may take all of the time
                if late.is_set():
                    raise TimeoutError
                connection.request("POST", path, document, dict(headers))
                answer = connection.getresponse()
                status, said, there = answer.status, answer.read(ANSWER), answer.getheader("Location", "")
                after = seconds_of(answer.getheader("Retry-After", ""))
            finally:
                if late.is_set():
                    raise TimeoutError
    except TimeoutError:
        raise NotTaken(f"no answer within {seconds:.0f} s") from None
    except ssl.SSLCertVerificationError as error:
        hint = "ca_file names other certificates to trust"
        raise NotTaken(f"its certificate is not trusted: {clean(error.verify_message)}", hint=hint) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotTaken(f"it cannot be posted to: {clean(str(why), SHOWN)}") from None
    _judge(status, said, there, after)


def seconds_of(said: str) -> float:
    """Retry-After (RFC 9110, 10.2.3) in seconds: a number, or a date; 0 for what is neither."""
    if said.strip().isdecimal():
        return float(said.strip()[:9])
    with suppress(ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    return 0.0


def _connection(place: SplitResult, seconds: float, ca_file: str) -> http.client.HTTPConnection:
    host = place.hostname or ""
    if place.scheme == "http":
        return http.client.HTTPConnection(host, place.port, timeout=seconds)
    trusted = ssl.create_default_context(cafile=ca_file or None)
    return http.client.HTTPSConnection(host, place.port, timeout=seconds, context=trusted)


def _judge(status: int, said: bytes, there: str, after: float) -> None:
    """NotTaken for every answer but a good one. Of another place only the host is told: its path may be a secret."""
    if status in GOOD:
        return
    if status in MOVED:
        hint = "name the place itself in config.yaml, where it is the right one: no other place is gone to"
        raise NotTaken(f"it says {status}, and that the place is another{_host_of(there)}", hint=hint)
    text = clean(said.decode("utf-8", "replace").strip(), SHOWN)
    later = f" (again in {format_duration(after)})" if after else ""
    raise NotTaken(f"it says {status}{later}{': ' if text else ''}{text}", after=after)


def _host_of(there: str) -> str:
    """Scheme and host of where an answer points, behind a colon; empty for the same host, and for what is no URL."""
    try:
        parts = urlsplit(there)
        host = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return ""
    return f": {clean(f'{parts.scheme}://{host}', SHOWN)}" if parts.scheme and host else ""

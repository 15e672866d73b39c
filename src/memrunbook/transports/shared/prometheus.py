"""Asks a Prometheus server for what node_exporter saw of a host: one series after the other, each bounded."""

from __future__ import annotations

import math
import re
import ssl
import urllib.error
import urllib.parse
from collections.abc import Mapping
from http.client import HTTPException
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct, structs

from memrunbook.core.errors import HostError, UsageError
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.transports.shared.http_get import get

# What node_exporter calls it, the kind of holder, and our figure.
FIGURES: Mapping[str, tuple[Kind, str]] = {
    "node_memory_MemAvailable_bytes": ("host", "memory.available_bytes"),
    "node_memory_MemFree_bytes": ("host", "memory.free_bytes"),
    "node_memory_AnonPages_bytes": ("host", "memory.anonymous_bytes"),
    "node_memory_Shmem_bytes": ("host", "memory.shared_bytes"),
    "node_memory_SwapFree_bytes": ("host", "swap.free_bytes"),
    "node_memory_SUnreclaim_bytes": ("kernel", "slab.unreclaimable_bytes"),
    "node_memory_PageTables_bytes": ("kernel", "memory.page_tables_bytes"),
    "node_memory_Percpu_bytes": ("kernel", "memory.percpu_bytes"),
}
LIMITS: Mapping[str, tuple[str, ...]] = {
    "node_memory_MemTotal_bytes": (
        "memory.available_bytes", "memory.free_bytes", "memory.anonymous_bytes", "memory.shared_bytes",
    ),
    "node_memory_SwapTotal_bytes": ("swap.free_bytes",),
}  # fmt: skip
"""What bounds which figures: without it nobody knows how much room they leave."""
MOST_BYTES = 4 << 20
MOST_POINTS = 11_000
"""Prometheus refuses to answer with more for one series."""
SECONDS = 30.0
STEP = 300.0
SHOWN = 5
REDIRECTION = 3
NO_PASSWORD = "they would be in the list of processes; a token is read from --token-file"  # noqa: S105  a hint
HINTS = {
    401: "give it a token",
    403: "this token may not read series",
    404: "is it the base address of Prometheus?",
    503: "it is busy, or the query took too long: repeat it for fewer hosts",
}
OF_THE_QUERY = frozenset({400, 422, 429, 500, 503})
"""With these it answers one query; another one may go well."""
CERTIFICATE = "its authority: SSL_CERT_FILE=/path/to/ca.pem; its name must be the one in the address"
RENEWED = 2
"""Steps for which a series may still be told beside the one that follows it."""


class NoAnswerError(HostError):
    """The server does not answer, or does not let this one in; asking it for another host is no use."""


class PrometheusServer(Struct, frozen=True):
    """Where it is and with what token it is asked; each answer may take `seconds`, and hold 4 MiB."""

    url: str
    token: str = ""
    seconds: float = SECONDS

    def checked(self) -> PrometheusServer:
        """The same; UsageError for what is no address, and for a token that others could read on its way."""
        parts = urllib.parse.urlsplit(self.url)
        if parts.username is not None or parts.password is not None:
            raise UsageError("a name and a password do not belong into the address", where="URL", hint=NO_PASSWORD)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"{parts.scheme or 'it'} is no http or https address", where="URL", hint="https://HOST:9090"
            )
        if self.token and parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise UsageError("a token is sent over https only", where="URL", hint="use the https address of the server")
        return self

    def series(self, match: str, begin: float, end: float) -> tuple[Series, ...]:
        """What it knows of the host that the matchers choose, between two moments in seconds since 1970.

        HostError where it does not answer, or its answer is none; UsageError where the matchers fit several hosts.
        A host whose labels were changed, as each new pod of an exporter does, has several series one after the other.
        """
        step = max(STEP, (end - begin) / (MOST_POINTS - 1))
        found = {one.figure: one for one in (self._one(name, match, begin, end, step) for name in FIGURES)}
        for limit, figures in LIMITS.items():
            sizes = self._one(limit, match, begin, end, step) if any(found[one].points for one in figures) else None
            known = {} if sizes is None else {point.at: point.value for point in sizes.points}
            found |= {one: _limited(found[one], known) for one in figures}
        return tuple(one for one in found.values() if one.points)

    def _one(self, name: str, match: str, begin: float, end: float, step: float) -> Series:
        query = {"query": f"{name}{{{match}}}", "start": f"{begin:.0f}", "end": f"{end:.0f}", "step": f"{step:.0f}"}
        answer = self._get(f"{self.url.rstrip('/')}/api/v1/query_range?{urllib.parse.urlencode(query)}")
        try:
            rows = msgspec.json.decode(answer)["data"]["result"]
            points = [Observation(at, value) for at, value in _followed(rows, match, RENEWED * step).items()]
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise _not_prometheus(self.url) from error
        kind, figure = FIGURES.get(name, ("host", name))
        return Series(kind, "", figure, tuple(point for point in points if math.isfinite(point.value)))

    def _get(self, url: str) -> bytes:
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        try:
            return get(url, headers, self.seconds, MOST_BYTES, redirects=False)
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(self.url, error, error.read(1 << 16)) from error
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", error)
            hint = CERTIFICATE if isinstance(why, ssl.SSLCertVerificationError) else "curl -I the same address"
            raise NoAnswerError(f"it does not answer: {why}", where=self.url, hint=hint) from error


def matcher(host: str) -> str:
    """The matchers that usually choose a host: its name or address with any port."""
    quoted = re.escape(host).replace("\\", "\\\\").replace('"', '\\"')
    return f'instance=~"{quoted}(:[0-9]+)?"'


def _limited(series: Series, limits: Mapping[float, float]) -> Series:
    points = (structs.replace(point, limit=limits.get(point.at)) for point in series.points)
    return structs.replace(series, points=tuple(points))


def _followed(rows: list[Any], match: str, beside: float) -> dict[float, float]:
    """The values of one host by time. Its series may follow each other, `beside` so many seconds at most."""
    series = [{float(at): float(value) for at, value in row["values"]} for row in rows]
    series.sort(key=lambda points: min(points, default=0.0))
    if len(rows) > 1:
        hosts = {str(row["metric"].get("instance", "")) for row in rows}
        apart = all(max(one) - min(other) < beside for one, other in pairwise(filter(None, series)))
        if len(hosts) > 1 or not apart:
            raise _several([row["metric"] for row in rows], match)
    return {at: value for points in series for at, value in points.items()}


def _several(labels: list[dict[str, str]], match: str) -> UsageError:
    """The matchers fit several series at one time: told by the labels that tell them apart."""
    names = sorted({name for one in labels for name in one if len({str(two.get(name, "")) for two in labels}) > 1})
    names = ["instance"] if "instance" in names else names
    choices = sorted({",".join(f"{name}={_quoted(one.get(name, ''))}" for name in names) for one in labels})
    shown = "; ".join(choices[:SHOWN]) + (f" and {len(choices) - SHOWN} more" if len(choices) > SHOWN else "")
    kept = match if "instance" not in names and "'" not in match else ""
    hint = f"choose one: --match '{','.join(filter(None, (kept, choices[0])))}'"
    return UsageError(f"{match} fits {len(labels)} series: {shown}", where="--match", hint=hint)


def _quoted(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _refused(url: str, error: urllib.error.HTTPError, body: bytes) -> HostError:
    code = error.code
    try:
        said = str(msgspec.json.decode(body)["error"])
    except (msgspec.DecodeError, KeyError, TypeError):
        said = ""
    to = error.headers.get("Location", "").partition("/api/v1")[0] if code // 100 == REDIRECTION else ""
    hint = f"it points to {to}: no other address is asked than the one that is named" if to else HINTS.get(code, "")
    kind = HostError if code in OF_THE_QUERY else NoAnswerError
    return kind(f"it answers {code}{f': {said}' if said else ''}", where=url, hint=hint)


def _not_prometheus(url: str) -> HostError:
    return HostError("its answer is not that of Prometheus", where=url, hint="the address ends before /api/v1")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

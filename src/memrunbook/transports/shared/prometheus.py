"""Asks a Prometheus server for what node_exporter saw of a host: one series after the other, each bounded."""

from __future__ import annotations

import math
import re
import urllib.error
import urllib.parse
from collections.abc import Mapping
from http.client import HTTPException
from ipaddress import ip_address
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
NO_PASSWORD = "they would be in the list of processes; a token is read from --token-file"  # noqa: S105  a hint
HINTS = {
    401: "give it a token",
    403: "this token may not read series",
    404: "is it the base address of Prometheus?",
}


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
            if len(rows) > 1:
                raise _several(rows, match)
            points = [Observation(float(at), float(value)) for row in rows for at, value in row["values"]]
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
                raise _refused(self.url, error.code, error.read(1 << 16)) from error
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", error)
            raise HostError(f"it does not answer: {why}", where=self.url, hint="curl -I the same address") from error


def matcher(host: str) -> str:
    """The matchers that usually choose a host: its name or address with any port."""
    quoted = re.escape(host).replace("\\", "\\\\").replace('"', '\\"')
    return f'instance=~"{quoted}(:[0-9]+)?"'


def _limited(series: Series, limits: Mapping[float, float]) -> Series:
    points = (structs.replace(point, limit=limits.get(point.at)) for point in series.points)
    return structs.replace(series, points=tuple(points))


def _several(rows: list[Any], match: str) -> UsageError:
    names = sorted({str(row["metric"].get("instance", "?")) for row in rows})
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    hint = f"choose one: --match 'instance=\"{names[0]}\"'" if len(names) > 1 else "add a label that tells them apart"
    return UsageError(f"{match} fits {len(rows)} series: {shown}", where="--match", hint=hint)


def _refused(url: str, code: int, body: bytes) -> HostError:
    try:
        said = str(msgspec.json.decode(body)["error"])
    except (msgspec.DecodeError, KeyError, TypeError):
        said = ""
    return HostError(f"it answers {code}{f': {said}' if said else ''}", where=url, hint=HINTS.get(code, ""))


def _not_prometheus(url: str) -> HostError:
    return HostError("its answer is not that of Prometheus", where=url, hint="the address ends before /api/v1")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

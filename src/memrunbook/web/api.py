"""The documents of `--json` for programs, and what describes them (OpenAPI 3.1), made of their very types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from memrunbook.app.accounting import doubts_about_list
from memrunbook.app.looking_back import LookBackArguments, look_back
from memrunbook.app.pending_plans import PendingArguments, pending
from memrunbook.app.reporting import list_runs
from memrunbook.app.scheduling import ScheduleArguments, list_schedules
from memrunbook.app.shown_pending import pending_document
from memrunbook.app.shown_report import run_document, told_of
from memrunbook.app.shown_runs import list_document as runs_document
from memrunbook.app.shown_schedules import list_document as schedules_document
from memrunbook.core.units import DAY
from memrunbook.documents.printed import Document
from memrunbook.documents.printed.history import HistoryDocument, history_document, history_host
from memrunbook.documents.printed.hosts import HostsDocument, hosts_document
from memrunbook.documents.printed.pending import PendingDocument
from memrunbook.documents.printed.report import ReportDocument
from memrunbook.documents.printed.runs import RunsDocument
from memrunbook.documents.printed.schedule_list import ScheduleListDocument
from memrunbook.documents.schemas import Schema, schema
from memrunbook.runtime.clock import SystemClock
from memrunbook.version import __version__
from memrunbook.web.drawn import host_key
from memrunbook.web.run_names import is_run
from memrunbook.web.served import ServedState

BASE = "/api/v1"
LOOKS_BACK = 14 * DAY
DocumentMaker = Callable[[ServedState, str], Document | None]


@dataclass(frozen=True)
class Offered:
    """One path: the document that it answers, how it is made, what its last part is called where it has one."""

    path: str
    kind: type[Document]
    answer: DocumentMaker
    part: str = ""


def _runs(served: ServedState, _: str) -> RunsDocument:
    return runs_document(list_runs(served.state), doubts_about_list(served.state))


def _report(served: ServedState, run: str) -> ReportDocument | None:
    return run_document(told_of(served.state, run)) if is_run(served.state, run) else None


def _pending(served: ServedState, _: str) -> PendingDocument:
    return pending_document(pending(PendingArguments(state=served.state, library=served.library, store=served.store)))


def _schedules(served: ServedState, _: str) -> ScheduleListDocument:
    arguments = ScheduleArguments(
        library=served.library, state=served.state, store=served.store, inventory=served.sources
    )
    return schedules_document(list_schedules(arguments))


def _hosts(served: ServedState, _: str) -> HostsDocument:
    known = served.inventory
    return hosts_document(known.hosts.values(), known.groups.values(), (), known.notes)


def _history(served: ServedState, _: str) -> HistoryDocument:
    return _past(served, (), points=False)


def _history_of(served: ServedState, key: str) -> HistoryDocument | None:
    arguments = LookBackArguments(points=False, library=served.library, state=served.state, store=served.store)
    name = next((one.host for one in look_back(arguments) if host_key(one.host) == key), None)
    return None if name is None else _past(served, (name,), points=True)


def _past(served: ServedState, hosts: tuple[str, ...], *, points: bool) -> HistoryDocument:
    since = SystemClock().now().utc - LOOKS_BACK
    arguments = LookBackArguments(
        hosts=hosts, since=since, points=points, library=served.library, state=served.state, store=served.store
    )
    found = (
        history_host(one.host, one.headroom, one.kills, zip(one.series, one.baselines, strict=True), points=points)
        for one in look_back(arguments)
    )
    return history_document(list(found), since)


OFFERED = (
    Offered("/runs", RunsDocument, _runs),
    Offered("/runs/{part}", ReportDocument, _report, "the id of a run"),
    Offered("/pending", PendingDocument, _pending),
    Offered("/schedules", ScheduleListDocument, _schedules),
    Offered("/hosts", HostsDocument, _hosts),
    Offered("/history", HistoryDocument, _history),
    Offered("/history/{part}", HistoryDocument, _history_of, "a host, as in the address of its page"),
)

ABOUT = "What is known. Nothing is changed here: plans are approved, applied and declined by people, on their pages."
POSTED: Schema = {
    "summary": "Alerts that Alertmanager posts (its webhook, version 4); each host that they name is looked at",
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
    "responses": {
        "202": {"description": "they are worked off"},
        "400": {"description": "this is no such document: what is wrong with it"},
        "401": {"description": "no token, or another one"},
        "404": {"description": "config.yaml names no token of who may post"},
        "413": {"description": "more than is read"},
        "429": {"description": "too many posts: Retry-After"},
        "503": {"description": "too many documents wait: Retry-After"},
    },
    "security": [{"alerts": []}],
}


def described() -> Schema:
    """The OpenAPI document."""
    schemas: dict[str, Schema] = {}
    paths: dict[str, Schema] = {f"{BASE}{one.path}": {"get": _operation(one, schemas)} for one in OFFERED}
    paths["/alerts"] = {"post": POSTED}
    return {
        "openapi": "3.1.0",
        "info": {"title": "runbook serve", "version": __version__, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {name: {"type": "http", "scheme": "bearer"} for name in ("token", "alerts")},
        },
        "security": [{"token": []}],
    }


def _operation(one: Offered, schemas: dict[str, Schema]) -> Schema:
    found: Schema = json.loads(json.dumps(schema(one.kind)).replace("#/$defs/", "#/components/schemas/"))
    schemas.update(found.pop("$defs"))
    found.pop("$schema")
    said = (one.kind.__doc__ or "").rstrip(".")
    words: Mapping[str, Any] = {
        "200": {"description": said, "content": {"application/json": {"schema": found}}},
        "401": {"description": "no session and no token"},
        **({"404": {"description": f"there is none: {one.part}"}} if one.part else {}),
    }
    where = {"name": "part", "in": "path", "required": True, "description": one.part, "schema": {"type": "string"}}
    return {"summary": said, "responses": words, **({"parameters": [where]} if one.part else {})}

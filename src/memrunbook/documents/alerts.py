"""Reads the document that Alertmanager posts (its webhook, version 4): bounded, and nothing in it is trusted."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.text import clean
from memrunbook.documents.problems import FAILURE

LARGEST = 1 << 20
"""Bytes of a document; Alertmanager's own are some KiB."""
MOST = 1000
"""Alerts of one document; those beyond are left for the next one."""
URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/@]*@)?")
VERSION = "4"
SHOWN = 200
HINT = "it is what Alertmanager posts to a webhook_config, version 4 (docs/how-to/alertmanager.md)"
LabelName = Annotated[str, Meta(max_length=256)]
LabelValue = Annotated[str, Meta(max_length=4096)]


class FiredAlert(Struct, frozen=True):
    """One alert: whether it fires still, and its labels. All else that the document says of it is not used."""

    status: Literal["firing", "resolved"]
    labels: Annotated[dict[LabelName, LabelValue], Meta(max_length=100)]

    @property
    def name(self) -> str:
        """Its name, as it may be shown; empty where it has none."""
        return clean(self.labels.get("alertname", ""))

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its labels, made here: what the document says of itself could stand for another alert."""
        return hashlib.sha256(msgspec.json.encode(sorted(self.labels.items()))).hexdigest()


class AlertsPosted(Struct, frozen=True):
    """The document. `truncated` is how many alerts Alertmanager left out of it, `beyond` how many are too many."""

    version: str
    alerts: tuple[FiredAlert, ...]
    truncated: Annotated[int, Meta(ge=0)] = msgspec.field(name="truncatedAlerts", default=0)
    beyond: int = 0


def read_alerts(content: bytes, where: str = "stdin") -> AlertsPosted:
    """The alerts of a document; DocumentError with what is wrong with it."""
    if len(content) > LARGEST:
        what = f"the document is larger than {LARGEST >> 20} MiB: no Alertmanager posts so much"
        raise DocumentError([Problem(where, what, "max_alerts: in its webhook_config bounds it")])
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        found = msgspec.json.decode(content, type=AlertsPosted)
    except msgspec.ValidationError as error:
        match = FAILURE.fullmatch(str(error))
        message, at = (match["message"], match["path"] or "") if match else (str(error), "")
        raise DocumentError([_problem(where, f"{at.lstrip('.')}: {message}" if at else message)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = "there is nothing in it" if not content.strip() else f"this is no JSON: {error}"
        raise DocumentError([_problem(where, why)]) from None
    if found.version != VERSION:
        raise DocumentError([_problem(where, f"this is version {found.version!r} of the document, not {VERSION!r}")])
    beyond = max(0, len(found.alerts) - MOST)
    return msgspec.structs.replace(found, alerts=found.alerts[:MOST], beyond=beyond)


def host_named(labels: Mapping[str, str], label: str) -> str:
    """The host that a label names, without its port, of an URL the host alone; empty where it names none."""
    value = URL.sub("", labels.get(label, "").strip()).partition("/")[0]
    if value.startswith("["):
        return value[1:].partition("]")[0]
    name, colon, port = value.rpartition(":")
    return name if colon and port.isdecimal() and ":" not in name else value


def _problem(where: str, message: str) -> Problem:
    return Problem(where, clean(message, SHOWN), HINT)

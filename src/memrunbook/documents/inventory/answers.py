"""Reads what a program answers to --list: groups as JSON, with the variables of hosts under _meta."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from memrunbook.core.text import clean
from memrunbook.documents.inventory.gathered import Gathered, Given
from memrunbook.documents.inventory.nodes import from_json

META = "_meta"
KEYS = ("hosts", "children", "vars")
AskHost = Callable[[str], str]
"""Runs the program with --host NAME."""


def is_answer(text: str) -> bool:
    """True for what a program answered to --list and somebody saved."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and (META in found or any(isinstance(group, list) for group in found.values()))


def read_answer(gathered: Gathered, text: str, shown: str, ask: AskHost) -> None:
    """Reads the answer of a program; without _meta.hostvars each host is asked for, as Ansible does. DocumentError."""
    found = from_json(text, shown)
    hosts: dict[str, None] = {}
    for name, data in found.items():
        if name != META:
            hosts |= dict.fromkeys(_group(gathered, name, data, shown))
    meta = found.get(META)
    told = meta.get("hostvars") if isinstance(meta, dict) else None
    for host in hosts:
        given = from_json(ask(host) or "{}", f"{shown} --host {host}") if told is None else told.get(host, {})
        if not isinstance(given, Mapping):
            what = f"the variables of {clean(host)} are no JSON object"
            gathered.problem(shown, what, 'as in "_meta": {"hostvars": {"web01": {"ansible_user": "ops"}}}')
            continue
        gathered.hosts[host].variables |= _given(given, shown)


def _group(gathered: Gathered, name: str, data: Any, shown: str) -> list[str]:
    if not isinstance(data, dict):
        data = {"hosts": data}
    elif not set(data) & set(KEYS):
        data = {"hosts": [name], "vars": data}
    group = gathered.group(name, shown)
    hosts, children, given = data.get("hosts") or [], data.get("children") or [], data.get("vars") or {}
    if not (_is_names(hosts) and _is_names(children) and isinstance(given, dict)):
        what = f"the group {clean(name)} is not as Ansible wants it"
        gathered.problem(shown, what, "hosts and children are lists of names, vars is an object")
        return []
    group.variables |= _given(given, shown)
    for child in children:
        gathered.nest(name, child, shown)
    return [host for word in hosts for host in gathered.host(word, name, shown)]


def _is_names(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) and one for one in found)


def _given(found: Mapping[str, Any], shown: str) -> dict[str, Given]:
    return {name: Given(value, shown) for name, value in found.items()}

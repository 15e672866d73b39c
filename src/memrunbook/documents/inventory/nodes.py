"""YAML as Ansible's users write it: anchors, merges and tags are theirs to use; only what is asked for is built."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.text import clean
from memrunbook.documents.inventory.gathered import Encrypted, Given, Unread, Variables, is_read
from memrunbook.documents.mistakes import in_words

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
VAULT_FILE, VAULT_TAGS = "$ANSIBLE_VAULT", ("!vault", "!vault-encrypted")
DEEPEST, MOST_ITEMS, MOST_LEVELS = 16, 10_000, 64
LARGEST_FILE = 16 << 20
MOST_BYTES = 64 << 20
MERGE, MAPPING = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:map"
Node = yaml.Node


def decoded(content: bytes, shown: str) -> str:
    """The text of a file; DocumentError where it is none."""
    if len(content) > LARGEST_FILE:
        raise DocumentError([Problem(shown, "the file is larger than 16 MiB", "is this an inventory?")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DocumentError([Problem(f"{shown}:{line}", "the file is not UTF-8", "save it as UTF-8")]) from None


def compose(text: str, shown: str) -> Node | None:
    """The one document of a YAML text, with the places of its values; None where it is empty. DocumentError."""
    try:
        _refuse_deep(text, shown)
        return yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
        lines = text.splitlines()
        at = lines[mark.line][mark.column :][:1] if mark and mark.line < len(lines) else ""
        raise DocumentError([Problem(where, *in_words(str(error.problem), at))]) from None
    except (yaml.YAMLError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else clean(str(error))
        raise DocumentError([Problem(shown, f"this is not YAML: {what}")]) from None


def _refuse_deep(text: str, shown: str) -> None:
    """DocumentError for levels without end: composing them may overflow the stack of the C library."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_LEVELS:
            where = f"{shown}:{event.start_mark.line + 1}" if event.start_mark else shown
            raise DocumentError([Problem(where, f"nested deeper than {MOST_LEVELS} levels")])


def is_mapping(node: Node | None) -> bool:
    """True for keys and values."""
    return isinstance(node, yaml.MappingNode)


def is_empty(node: Node | None) -> bool:
    """True where nothing was written."""
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"))


def pairs(node: Node, depth: int = 0) -> Iterator[tuple[str, Node, Node]]:
    """The keys of a mapping as text, each with its own node and that of its value; what is merged in comes first.

    Of a key that stands twice the last one counts, as in Ansible.
    """
    merged = [value for key, value in node.value if key.tag == MERGE]
    for value in merged if depth < DEEPEST else ():
        for one in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if isinstance(one, yaml.MappingNode):
                yield from pairs(one, depth + 1)
    last = {str(key.value): (key, value) for key, value in node.value if _is_key(key)}
    yield from ((name, key, value) for name, (key, value) in last.items())


def doubles(root: Node | None) -> Iterator[tuple[str, Node, Node]]:
    """The keys that stand twice in one mapping, anywhere in a document: each with the first node and the second."""
    waiting, seen = [root] if root is not None else [], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))  # an anchor may stand in many places, and inside itself
        if not isinstance(node, yaml.MappingNode):
            waiting += node.value
            continue
        first: dict[str, Node] = {}
        for key, value in node.value:
            waiting.append(value)
            if _is_key(key) and first.setdefault(str(key.value), key) is not key:
                yield str(key.value), first[str(key.value)], key


def _is_key(node: Node) -> bool:
    return bool(node.tag != MERGE and isinstance(node, yaml.ScalarNode))


def where(shown: str, node: Node) -> str:
    """The `file:line` of a node."""
    return f"{shown}:{node.start_mark.line + 1}"


def variables(node: Node, shown: str) -> Variables:
    """The variables that a mapping sets; of those that nothing here reads, lists and mappings are not built."""
    return {
        name: Given(
            value_of(value) if is_read(name) or isinstance(value, yaml.ScalarNode) else Unread(), where(shown, key)
        )
        for name, key, value in pairs(node)
    }


def value_of(node: Node) -> Any:
    """The value of a node: plain values, `Encrypted`, or `Unread` where it is too large or of a tag of its own."""
    try:
        return _built(node, 0, [MOST_ITEMS])
    except (ValueError, yaml.YAMLError, OverflowError):
        return Unread()


def _built(node: Node, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if depth > DEEPEST or left[0] < 0:
        raise ValueError("too large")
    if node.tag in VAULT_TAGS:
        return Encrypted()
    if isinstance(node, yaml.MappingNode):
        return unwrapped({name: _built(value, depth + 1, left) for name, _, value in pairs(node)})
    if isinstance(node, yaml.SequenceNode):
        return [_built(one, depth + 1, left) for one in node.value]
    if node.tag == "!unsafe":
        return node.value
    if not node.tag.startswith("tag:yaml.org,2002:"):
        return Unread()
    value = yaml.constructor.SafeConstructor().construct_object(node)
    return Encrypted() if isinstance(value, str) and value.startswith(VAULT_FILE) else value


def unwrapped(found: dict[str, Any]) -> Any:
    """What Ansible's JSON wraps: a value that is encrypted, or one that is not to be computed."""
    if "__ansible_vault" in found:
        return Encrypted()
    return found.get("__ansible_unsafe", found) if len(found) == 1 else found


def from_json(text: str, shown: str) -> dict[str, Any]:
    """The mapping in a text that is JSON; DocumentError for anything else."""
    try:
        found = json.loads(text, object_hook=unwrapped)
    except (ValueError, RecursionError) as error:
        what = f"the answer is no JSON: {clean(str(error))}"
        raise DocumentError([Problem(shown, what, "it must print one JSON object and nothing else")]) from None
    if not isinstance(found, dict):
        raise DocumentError([Problem(shown, "the answer is no JSON object", 'as in {"web": {"hosts": ["web01"]}}')])
    return found

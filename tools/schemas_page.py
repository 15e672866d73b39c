"""The page that lists every JSON Schema: what it describes, by which name it is known, and where one meets it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

import click

from memrunbook.cli.main import group

HEAD = """\
# JSON Schemas

Each document has a JSON Schema (2020-12), made of the very type that reads or writes it; tests hold what is printed to
it. By its `$id` a schema is known for good, wherever its file lies. A form that readers of the one before cannot read
has another number there and in its `format`. In a wheel the files lie in `memrunbook/shipped/schemas/`.
"""
PRINTED = re.compile(r"runbook((?: [a-z][a-z-]*)+)((?: --?[\w-]+| [A-Z]+| jsonl)*)")


def schemas_page(note: str, rendered: Mapping[str, str], written: Mapping[str, str], kept: Iterable[str]) -> str:
    """The page of schemas, given as texts by their names: of files that people write, that runs keep, and the rest."""
    kept = sorted(set(kept) - written.keys())
    printed = sorted(rendered.keys() - {*written, *kept})
    parts = [
        (
            "Files that people write",
            "[Every key of them](keys.md); [in an editor](../how-to/install.md#in-an-editor).",
            sorted(written),
        ),
        ("Files that runs keep", "[The journal](journal.md); [saved plans](../how-to/approve-a-plan.md).", kept),
        ("What commands print", "[Use it in scripts](../how-to/use-in-scripts.md).", printed),
    ]
    return "\n".join([note, HEAD, *(line for part in parts for line in _part(*part, rendered, written))])


def _part(
    heading: str, more: str, names: Iterable[str], rendered: Mapping[str, str], written: Mapping[str, str]
) -> Iterator[str]:
    yield from (f"## {heading}", "", more, "", "| schema | describes | `$id` |", "|---|---|---|")
    for name in names:
        found = json.loads(rendered[name])
        said = f"`{written[name]}`: {_after_colon(found['title'])}" if name in written else _described(found["title"])
        yield f"| [{name}](../../schemas/{name}.schema.json) | {said} | `{found['$id']}` |"
    yield ""


def _after_colon(title: str) -> str:
    return title.rpartition(": ")[2]


def _described(title: str) -> str:
    """The first sentence of a title, its command as one that is typed; where that is all, what the command is for."""
    said = title.strip().partition("\n")[0].rstrip(".")
    typed = PRINTED.search(said)
    marked = PRINTED.sub(lambda found: f"`{found[0]}`", said, count=1)
    return f"{marked}: {_purpose(typed[1].split())}" if typed and typed[0] == said else marked


def _purpose(words: Iterable[str]) -> str:
    """What a command is for, as its group lists it."""
    command: click.Command = group
    for word in words:
        inner = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if inner is None:
            raise ValueError(f"a schema names a command that there is not: {word}")
        command = inner
    return command.get_short_help_str(200).rstrip(".")

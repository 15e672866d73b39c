"""Writes the man pages of the command into a folder, one a command: `python -m tools.man build/man`."""

from __future__ import annotations

import datetime as dt
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import wrap

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.main import group
from memrunbook.version import __version__

ENVIRONMENT = {
    "RUNBOOK_STATE_DIR": "where journals and the store are kept, else /var/lib/memrunbook for root, "
    "else memrunbook in $XDG_STATE_HOME (~/.local/state)",
    "RUNBOOK_STORE": "where runs of several users or control nodes know of one another: a URL or a file",
    "RUNBOOK_INVENTORY": "the inventory where -i names none",
    "RUNBOOK_PATH": "folders of runbooks, with : between them",
    "RUNBOOK_FORWARD": "where the records of journals are sent to as they are written",
    "RUNBOOK_PROMETHEUS_TOKEN": "the bearer token that Prometheus wants",
    "XDG_CONFIG_HOME": "where the folder memrunbook with config.yaml and runbooks is looked for, else ~/.config",
    "NO_COLOR": "no colour where it is set",
}
FILES = {
    "/etc/memrunbook/": "config.yaml, services.yaml, schedules.yaml, inventory.yaml and runbooks/ of the administrator",
    "~/.config/memrunbook/": "the same files of one user; what the administrator forbids stays forbidden",
    "/var/lib/memrunbook/": "journals, keys, the store, the history: the state directory of root",
    "~/.local/state/memrunbook/": "the state directory of anybody else",
    "/run/memrunbook-RUN.started": "on a host: the mark of a command that has begun and not ended",
}
SECTION = 1
ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", '"': "\\(dq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
SIGNS, BEFORE_SIGN = (".", "'"), "\\&"


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    return {f"{name.replace(' ', '-')}.{SECTION}": _page(name, command) for name, command in commands().items()}


def commands() -> dict[str, click.Command]:
    """Every command by its words, as in "runbook schedule run"."""
    return dict(_below("runbook", group))


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for word in command.list_commands(context):
            if (inner := command.get_command(context, word)) is not None:
                yield from _below(f"{name} {word}", inner)


def _page(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    first, *more = inspect.cleandoc(command.help or "").split("\n\n")
    title = name.replace(" ", "-")
    lines = [
        f'.TH {_text(title.upper())} {SECTION} {_date()} "memrunbook {__version__}" "memrunbook"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{_text(title)} \\- {_text(_sentence(first))}",
        ".SH SYNOPSIS",
        f".B {_text(name)}",
        *_lines(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
        *_lines(first),
        *(line for paragraph in more for line in (".PP", *_lines(paragraph))),
        ".SH OPTIONS",
        *_listed(_options(command, context)),
    ]
    if isinstance(command, click.Group):
        inner = ((word, one) for word, one in commands().items() if word.rpartition(" ")[0] == name)
        lines += [".SH COMMANDS", *_listed(((word, _first(one)) for word, one in inner))]
    lines += [".SH EXIT STATUS", *_listed((str(code), text) for code, text in exit_codes.TABLE.items())]
    lines += [".SH ENVIRONMENT", *_listed(ENVIRONMENT.items()), ".SH FILES", *_listed(FILES.items())]
    return "\n".join([*lines, ".SH SEE ALSO", *_others(name), ""])


Entries = Iterable[tuple[str, str] | None]


def _options(command: click.Command, context: click.Context) -> Entries:
    """Each option with what its help says; of arguments the description speaks.

    click keeps the option of the help as whoever asked first had named it: it is named here.
    """
    own = [one.get_help_record(context) for one in command.params if isinstance(one, click.Option)]
    return [*own, ("-h, --help", "Show this message and exit.")]


def _listed(entries: Entries) -> Iterator[str]:
    for word, said in filter(None, entries):
        yield from (".TP", f".B {_text(word)}", *_lines(said))


def _others(name: str) -> list[str]:
    """The page above, those below, and within a group those beside it."""
    above = name.rpartition(" ")[0]
    nearest = {name, above} if " " in above else {name}
    near = [one for one in commands() if one == above or (one != name and one.rpartition(" ")[0] in nearest - {""})]
    shown = [f".BR {_text(one.replace(' ', '-'))} ({SECTION})" for one in sorted(near)]
    return [f"{line}," for line in shown[:-1]] + shown[-1:]


def _first(command: click.Command) -> str:
    return _sentence(inspect.cleandoc(command.help or "").partition("\n\n")[0])


def _sentence(words: str) -> str:
    """The first sentence, on one line, without its end."""
    return " ".join(words.split()).partition(". ")[0].removesuffix(".")


def _lines(words: str) -> Iterator[str]:
    """A paragraph; no line of it is read as a request."""
    for one in wrap(" ".join(words.split()), 70, break_on_hyphens=False, break_long_words=False):
        yield f"{BEFORE_SIGN if one[0] in SIGNS else ''}{_text(one)}"


def _text(words: str) -> str:
    """Words as roff takes them: nothing in them is an escape, and signs are those that can be copied."""
    return "".join(ESCAPES.get(one, one if one.isascii() else f"\\[u{ord(one):04X}]") for one in words)


def _date() -> str:
    """The day of the sources where a build names it, so that the same sources make the same pages."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = dt.datetime.now(dt.UTC) if epoch is None else dt.datetime.fromtimestamp(int(epoch), dt.UTC)
    return now.strftime("%Y-%m-%d")


def main(folder: Path) -> int:
    """Writes every page into the folder's man1, and removes those of commands that are no more."""
    inside = folder / f"man{SECTION}"
    inside.mkdir(parents=True, exist_ok=True)
    written = pages()
    for left in inside.glob(f"runbook*.{SECTION}"):
        if left.name not in written:
            left.unlink()
    for name, page in written.items():
        (inside / name).write_text(page, encoding="utf-8")
    print(f"{len(written)} pages in {inside}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/man")))

"""What keeps an installed scheduler from working, told before it is started; and how its state is looked at then."""

from __future__ import annotations

import pwd
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli.next_command import kept_options
from memrunbook.documents.library import ADMINISTRATORS, SCHEDULES
from memrunbook.state.paths import FOR_ROOT

if TYPE_CHECKING:
    from memrunbook.cli.remarks import Remarks

HIDDEN = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  what PrivateTmp=yes hides
LOOKS = (("pending",), ("schedule", "firings"), ("schedule", "check"))


def told_units(words: Sequence[str], login: str, timetable: Path | None, remarks: Remarks) -> None:
    """Says after the units what cannot work, which schedules.yaml they read, and how their state is looked at.

    `words` are those of the unit's command.
    """
    carried = "--config-dir" in words
    for said, hint in unit_notes(words[0], login, timetable, carried=carried):
        remarks.remark(said, hint)
    read = read_by(login, timetable, carried=carried)
    click.echo(f"# It reads {read}. To look at it:" if read else "# It finds no schedules.yaml yet. To look at it:")
    kept = kept_options()
    for line in looked_at(FOR_ROOT, login, kept):
        click.echo(f"#   {line}")


def read_by(login: str, timetable: Path | None, *, carried: bool) -> Path | None:
    """The schedules.yaml that the unit will read; None where there is none. `carried`: the unit has --config-dir."""
    if carried:
        return timetable
    return next((path for folder in _folders(login) if (path := folder / SCHEDULES).exists()), None)


def unit_notes(program: str, login: str, timetable: Path | None, *, carried: bool) -> Iterator[tuple[str, str]]:
    """What cannot work as it is, each with a hint."""
    if _home(login) is None:
        yield f"there is no user {login} here: the unit would not start", f"useradd --system --create-home {login}"
    for path in (Path(program), *([timetable] if timetable and carried else [])):
        if any(path.is_relative_to(folder) for folder in HIDDEN):
            yield f"{path} lies where PrivateTmp=yes hides it from the unit", "put it elsewhere, as in /opt or /etc"
    read = read_by(login, timetable, carried=carried)
    if timetable is not None and not carried and read != timetable.absolute():
        what = f"{timetable} is not read by the unit, which looks in {' and '.join(map(str, _folders(login)))}"
        yield what, f"--config-dir {shlex.quote(str(timetable.absolute().parent))}"


def looked_at(state: Path, login: str, kept: Sequence[str]) -> Iterator[str]:
    """The commands that show what the unit does, as its user types them."""
    for words in LOOKS:
        yield shlex.join(["sudo", "-u", login, "runbook", *words, "--state-dir", str(state), *kept])


def _folders(login: str) -> list[Path]:
    home = _home(login)
    return [*([home / ".config" / "memrunbook"] if home else []), ADMINISTRATORS]


def _home(login: str) -> Path | None:
    try:
        return Path(pwd.getpwnam(login).pw_dir)
    except KeyError:
        return None

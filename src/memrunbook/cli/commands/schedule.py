"""runbook schedule: what is done when nobody sits at the keyboard."""

from __future__ import annotations

import datetime as dt
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_schedules
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.formats import format_of
from memrunbook.cli.host_options import DISTRIBUTE
from memrunbook.cli.next_command import OptionsOf, kept_options, way_options
from memrunbook.cli.options import (
    CONFIG,
    LIBRARY,
    OUTPUT,
    PLANNED_HOSTS,
    STATE,
    STORE,
    OutputOptions,
    common,
    seconds,
)
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import say_line, show
from memrunbook.cli.subcommands import Subcommands
from memrunbook.cli.targets import Targets, told_inventory
from memrunbook.core.errors import JournalError, UsageError
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.scheduler import Scheduler
    from memrunbook.app.scheduling import ScheduleArguments
    from memrunbook.cli.announcing import Announcer


@click.group(cls=Subcommands)
def command() -> None:
    """Run runbooks by schedules.yaml: list, preview, run, install, pause, resume, and what became of it."""


@command.command("list")
@common(CONFIG, STATE, STORE, OUTPUT)
def list_(library: Library, state: Path, store: str, output: OutputOptions) -> int:
    """List the schedules: how each stands and why, when it fires next, what became of it last.

    Exit 2 where one is broken: the others go on.
    """
    from memrunbook.app import list_schedules
    from memrunbook.app.shown_schedules import list_document, list_page

    found = list_schedules(_asked(library, state, store))
    code = exit_codes.USAGE if any(one.state == "broken" for one in found) else exit_codes.OK
    return show(output, Reply(code, lambda: list_document(found), lambda: [list_page(found, _typed)]))


@command.command()
@click.argument("name", default="", shell_complete=complete_schedules)
@click.option("--from", "start", metavar="TIME", help="From then on, as in 2026-03-28 or 2026-03-28T12:00Z.")
@click.option("--count", default=10, type=click.IntRange(1, 1000), show_default=True, help="So many of each.")
@common(CONFIG, STATE, OUTPUT)
def preview(name: str, start: str | None, count: int, library: Library, state: Path, output: OutputOptions) -> int:
    """Show when schedules fire next: local time, UTC, and what days with a change of the clocks do."""
    from memrunbook.app import preview_schedules
    from memrunbook.cli.remarks import Remarks
    from memrunbook.cli.schedule_pages import preview_document, preview_pages

    asked = _asked(library, state, "")
    found = preview_schedules(asked, name, _moment(start), count)
    broken = () if name else tuple(asked.schedules().broken)
    for one in broken:
        Remarks(output.color).remark(f"{one} is broken, and does not fire", "runbook schedule list says why")
    return show(output, Reply(exit_codes.OK, lambda: preview_document(found), lambda: preview_pages(found, broken)))


@command.command()
@click.option("--once", is_flag=True, help="Do what is due now, and end: for cron or a systemd timer.")
@click.option(
    "--textfile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write figures there each minute, as `runbook metrics` does: FILE.prom for node_exporter.",
)
@common(PLANNED_HOSTS, LIBRARY, STATE, STORE, DISTRIBUTE)
def run(
    targets: Targets, library: Library, state: Path, store: str, *,
    once: bool, textfile: Path | None, distribute: bool,
) -> int:  # fmt: skip
    """Carry out schedules as they fall due, until SIGTERM; SIGHUP reads schedules.yaml anew.

    What runs is recorded once, however many schedulers share the store. Nobody is asked: what a schedule may not do
    waits for a person (runbook pending). With --once: exit 2 where a schedule is broken; the others were carried out.
    """
    from memrunbook.cli.announcing import Announcer
    from memrunbook.cli.interrupts import finish_then_stop
    from memrunbook.cli.scheduling import BrokenSchedules, Heard, Loop, nothing_due, say

    if library.timetable is None:
        hint = "docs/how-to/schedule.md shows one; it lies beside config.yaml"
        raise UsageError("there is no schedules.yaml", hint=hint)
    talk = Conversation(OutputOptions(format_of("text")), replace(targets, no_input=True))
    telling = Announcer(library, state, store, textfile)
    heard = Heard()
    scheduler = _scheduler(talk, telling, heard, distribute=distribute)
    with finish_then_stop(talk.stop, tell=say):
        if not once:
            telling.nobody()
            Loop(scheduler, library.schedules, telling.beside).run()
            return exit_codes.OK
        broken = BrokenSchedules(scheduler)
        broken.look(anew=True)
        scheduler.look()
        scheduler.settle()
        telling.beside()
    if not heard.anything and sys.stderr.isatty():
        say(nothing_due(scheduler))
    if scheduler.trouble:
        return exit_codes.JOURNAL
    return exit_codes.USAGE if broken.by_name else exit_codes.OK


def _scheduler(talk: Conversation, telling: Announcer, say: Callable[[str], None], *, distribute: bool) -> Scheduler:
    from memrunbook.app.firing import Surroundings
    from memrunbook.app.scheduler import Scheduler
    from memrunbook.cli.scheduling import Reaching

    around = Surroundings(
        library=telling.library,
        state=telling.state,
        store=telling.store,
        inventory=talk.targets.inventory,
        reaches=Reaching(talk.targets, talk.connectors()),
        options=way_options(),
        again=OptionsOf("inventory", "forks"),
        stop=talk.stop,
        distribute=distribute,
    )
    return Scheduler(telling.library.schedules(), around, telling, say)


@command.command()
@click.option("--user", "login", default="", metavar="NAME", help="Who it runs as; without it whoever types this.")
@click.option("--timer", "timer", flag_value=True, default=False, help="A timer that looks each minute.")
@click.option("--service", "timer", flag_value=False, help="A service that stays (the usual).")
@click.option("--agent", default="", metavar="SOCKET", help="An ssh agent; without it keys are read from files.")
@click.option(
    "--textfile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="As of `schedule run`; the unit may write to its folder.",
)
@click.option("--write", is_flag=True, help="Write the units; without it they are only shown.")
@common(PLANNED_HOSTS, LIBRARY, STORE, DISTRIBUTE)
def install(
    login: str, agent: str, textfile: Path | None, targets: Targets, library: Library, store: str, *,
    timer: bool, write: bool, distribute: bool,
) -> int:  # fmt: skip
    """Show the systemd units of the scheduler; with --write write them to /etc/systemd/system.

    Options that say how hosts are reached go into the unit.
    """
    from memrunbook.app import this_actor
    from memrunbook.cli.remarks import Remarks
    from memrunbook.cli.schedule_pages import program, write_units
    from memrunbook.cli.unit_notes import told_units
    from memrunbook.documents.systemd_units import of_a_team, units
    from memrunbook.state.ownership import is_shared
    from memrunbook.state.paths import FOR_ROOT
    from memrunbook.state.textfile import for_a_service

    del targets, store  # their words go into the unit
    file = for_a_service(textfile)
    written = [] if file is None else ["--textfile", str(file)]
    written += ["--distribute"] * distribute
    words = [program(), "schedule", "run", "--state-dir", str(FOR_ROOT), *way_options(), *written]
    login = login or this_actor().user
    found = units(words, login, timer=timer, agent=agent, written=file and file.parent)
    code = write_units(of_a_team(found) if is_shared(FOR_ROOT) else found, write=write)
    told_units(words, login, library.timetable, Remarks("auto"))
    return code


@command.command()
@click.argument("name", shell_complete=complete_schedules)
@click.option("--reason", default="", metavar="TEXT", help="Why; shown by schedule list.")
@common(CONFIG, STATE, STORE)
def pause(name: str, reason: str, library: Library, state: Path, store: str) -> int:
    """Carry out nothing of schedule NAME until it is resumed; what is under way ends."""
    from memrunbook.app import pause_schedule, this_actor

    pause_schedule(_asked(library, state, store), name, this_actor().user, reason)
    say_line(f"Paused: {name}. Its firings are recorded and not carried out. Again:")
    click.echo(shlex.join(["runbook", "schedule", "resume", name, *kept_options("reason")]))
    return exit_codes.OK


@command.command()
@click.argument("name", shell_complete=complete_schedules)
@common(CONFIG, STATE, STORE)
def resume(name: str, library: Library, state: Path, store: str) -> int:
    """Let schedule NAME go on, with what is due from now on."""
    from memrunbook.app import resume_schedule

    resume_schedule(_asked(library, state, store), name)
    say_line(f"Goes on: {name}. When:")
    say_line(shlex.join(["runbook", "schedule", "preview", name, *kept_options("store")]))
    return exit_codes.OK


@command.command()
@click.argument("name", default="", shell_complete=complete_schedules)
@click.option("--count", default=30, type=click.IntRange(1, 10_000), show_default=True, help="So many, the newest.")
@common(CONFIG, STATE, STORE, OUTPUT)
def firings(name: str, count: int, library: Library, state: Path, store: str, output: OutputOptions) -> int:
    """List what became of firings, the newest first: also those that were missed, overlapped, held back or refused."""
    from memrunbook.app import list_firings
    from memrunbook.app.going_on import words_here
    from memrunbook.cli.schedule_pages import firings_document, firings_page

    found = list_firings(_asked(library, state, store), name, count)
    words = words_here(state, library, store)
    return show(output, Reply(exit_codes.OK, lambda: firings_document(found), lambda: [firings_page(found, words)]))


@command.command()
@click.argument("name", default="", shell_complete=complete_schedules)
@click.option(
    "--since", metavar="TIME", default="30d", show_default=True, help="From when on: 7d, 2026-11-22, …T09:41."
)
@common(CONFIG, STATE, STORE, OUTPUT)
def score(name: str, since: str, library: Library, state: Path, store: str, output: OutputOptions) -> int:
    """Show what schedules with `mode: plan` would have done, and what became of it without them.

    An incident of a host is one case until a firing finds it over. Exit 9 where no firing is kept.
    """
    from memrunbook.app import ScoreArguments
    from memrunbook.app import score as scored
    from memrunbook.app.moments import moment
    from memrunbook.cli.remarks import Remarks
    from memrunbook.cli.score_pages import score_document, score_pages

    asked = ScoreArguments(name=name, since=moment(since, "--since"), library=library, state=state, store=store)
    found = scored(asked, Remarks(output.color).remark)
    code = exit_codes.OK if any(one.sightings for one in found.schedules) else exit_codes.NOT_JUDGED
    return show(output, Reply(code, lambda: score_document(found), lambda: score_pages(found)))


@command.command()
@click.option("--older-than", default="5m", metavar="TIME", show_default=True, help="So long a silence is an alarm.")
@common(CONFIG, STATE, STORE)
def check(older_than: str, library: Library, state: Path, store: str) -> int:
    """Say whether a scheduler is there; exit 8, and tell somebody, where none was heard of for so long.

    For another cron, or for monitoring: who has stopped cannot say so. A schedules.yaml that is gone or says nothing
    is the same where schedules fired by it. A store that does not answer is told, too.
    """
    from memrunbook.app import check_scheduler
    from memrunbook.app.scheduling import cannot_be_told
    from memrunbook.cli.announcing import Announcer
    from memrunbook.cli.remarks import Remarks

    telling, silence = Announcer(library, state, store), seconds(older_than, "--older-than") or 0.0
    try:
        found = check_scheduler(_asked(library, state, store), silence)
    except JournalError as error:
        telling([cannot_be_told(error)])
        raise
    say_line(f"{'OK' if found.goes else 'SILENT'}: {found.said}")
    if found.gone:
        remark = f"no more in schedules.yaml, and not to fire again: {', '.join(found.gone)}"
        Remarks("auto").remark(remark, "nothing is to be done where that was meant")
    telling(found.tell)
    return exit_codes.OK if found.goes else exit_codes.INCIDENT


def _asked(library: Library, state: Path, store: str) -> ScheduleArguments:
    from memrunbook.app import ScheduleArguments

    return ScheduleArguments(library=library, state=state, store=store, inventory=told_inventory())


def _typed(hint: str) -> str:
    """A command with the options of the one under way."""
    return shlex.join([*shlex.split(hint), *kept_options()])


def _moment(text: str | None) -> float | None:
    """A time as it is typed, in local time where it names no zone; UsageError for what is none."""
    if text is None:
        return None
    try:
        return dt.datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        hint = "write 2026-03-28, or 2026-03-28T12:00Z"
        raise UsageError(f"{text!r} is no time", where="--from", hint=hint) from None

"""The command `runbook`: finds its commands in the folder `commands`, maps errors to exit codes in one place."""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import click

from memrunbook.cli import commands, exit_codes, streams
from memrunbook.core.errors import RunbookError, UsageError
from memrunbook.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

ORDER = (
    "list",
    "show",
    "validate",
    "new",
    "facts",
    "diagnose",
    "plan",
    "run",
    "apply",
    "approve",
    "runs",
    "report",
    "resume",
    "undo",
    "audit",
    "schedule",
    "pending",
    "alert",
    "notify",
    "metrics",
    "history",
    "import-history",
    "oom-log",
    "record",
    "hosts",
    "doctor",
    "mcp",
    "serve",
    "passkey",
    "off",
    "on",
    "completion",
)
EPILOG = "Exit codes:\n\n\b\n" + "\n".join(
    fill(text, 76, initial_indent=f"{code:>4}  ", subsequent_indent=" " * 6) for code, text in exit_codes.TABLE.items()
)


NO_HOME = "/nonexistent"


class Commands(click.Group):
    """One file a command; a file is imported when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The commands, in the order in which people meet them."""
        names = [info.name.removesuffix("_").replace("_", "-") for info in pkgutil.iter_modules(commands.__path__)]
        return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports one command; None where there is no such file."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = importlib.import_module(f"{commands.__name__}.{_file(cmd_name)}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands by the first line of their files: importing them all costs more than all the rest."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so, by the first line of their files, and the options of `runbook` itself."""
        from click.shell_completion import CompletionItem

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=_summary(name)) for name in names), *options]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command, or says which one may be meant."""
        if self.get_command(ctx, args[0]) is None:
            from difflib import get_close_matches

            close = get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"did you mean {close[0]!r}?" if close else "runbook --help lists the commands"
            raise UsageError(f"there is no command {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)


# Words that are also Python's: their files end in "_".
BUILTIN = frozenset({"list"})


def _file(command: str) -> str:
    return f"{command}_" if command in BUILTIN else command.replace("-", "_")


def _summary(command: str) -> str:
    first = (Path(commands.__path__[0]) / f"{_file(command)}.py").read_text("utf-8").partition("\n")[0]
    words = first.strip('"').removeprefix(f"runbook {command}: ")
    return words[:1].upper() + words[1:]


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="runbook")
def group() -> None:
    """Diagnoses and remedies memory incidents on Linux hosts, over SSH, behind confirmation gates.

    Start with: runbook diagnose --host NAME
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command line and exits with the code of `exit_codes`."""
    code = _guarded(list(sys.argv[1:] if argv is None else argv))
    _say_what_was_not_forwarded()
    _close_log(code)
    sys.exit(code)


def _close_log(code: int) -> None:
    """The log of this command, where it has one: where nothing was to be logged, nothing is loaded."""
    logged = sys.modules.get("memrunbook.cli.log_file")
    if logged is not None and (problem := logged.close_log(code)):
        streams.on_stderr(f"note: {problem}\n")


def _guarded(argv: list[str]) -> int:
    streams.open_closed()
    streams.allow_many_files()
    _have_home()
    try:
        code = group.main(args=argv, prog_name="runbook", standalone_mode=False, obj=tuple(argv))
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except (click.UsageError, RunbookError) as error:
        return _say(error)
    except (KeyboardInterrupt, click.exceptions.Abort) as interrupt:
        cause = interrupt.__cause__ or interrupt  # click wraps it
        return _leave(_whole(str(cause)) or "Interrupted: nothing more is done.\n")
    except (BrokenPipeError, SystemExit):  # click makes the second of the first
        return _closed_pipe()
    except Exception as error:  # noqa: BLE001  the last line of defence: a report, never a traceback
        return _unexpected(error, argv)
    if code == exit_codes.INTERRUPTED:  # what is known has been told
        _close_log(code)
        _end_at_once()
    return code if isinstance(code, int) else exit_codes.OK


def _whole(words: str) -> str:
    """With the options that its commands need, where some were typed."""
    completing = sys.modules.get("memrunbook.ui.completing")
    return str(completing.completed_text(words)) if completing is not None else words


def _unexpected(error: Exception, argv: list[str]) -> int:
    """A defect; but a file that belongs to somebody else is none, wherever it was met: whose it is says what to do."""
    if not isinstance(error, PermissionError) or not isinstance(error.filename, str):
        from memrunbook.cli.defect import report_defect

        return report_defect(error, argv)
    from memrunbook.core.errors import JournalError
    from memrunbook.state.disk import HINTS
    from memrunbook.state.ownership import whose

    owner = whose(Path(error.filename).absolute())
    return _say(JournalError(f"permission denied; {owner}", where=error.filename, hint=HINTS[errno.EACCES]))


def _have_home() -> None:
    """A user without a home has none of the files that would lie in it; Python gives up looking for one."""
    if not os.environ.get("HOME"):
        os.environ.pop("HOME", None)
    if "HOME" not in os.environ and os.path.expanduser("~") == "~":  # noqa: PTH111  pathlib raises
        os.environ["HOME"] = NO_HOME


def _say_what_was_not_forwarded() -> None:
    """A log that takes nothing stops no run, but is said: where nothing was to be forwarded, nothing is loaded."""
    forwarding = sys.modules.get("memrunbook.state.forwarding")
    if forwarding is not None and (problem := forwarding.not_taken()):
        streams.on_stderr(f"note: {problem}\n  hint: the journal here has them all\n")


def _leave(words: str) -> int:
    """Ends at once: a worker that is still at its host might speak while Python is taken down, which ends it badly."""
    streams.on_stderr(f"\n{words}")
    sys.stderr.flush()
    _close_log(exit_codes.INTERRUPTED)
    _end_at_once()
    return exit_codes.INTERRUPTED


def _end_at_once() -> None:
    if threading.active_count() > 1:
        os._exit(exit_codes.INTERRUPTED)


def _say(error: click.UsageError | RunbookError) -> int:
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.screen import Screen

    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # its message is the help
        sys.stderr.write(f"{error.format_message()}\n")
        return exit_codes.USAGE
    if isinstance(error, click.UsageError):
        words = " ".join(error.format_message().split())  # click lists choices below one another
        error = UsageError(words, hint=_help_hint(error))
    Screen("auto", sys.stderr).show(error_view(error))
    return exit_codes.of_error(error)


def _help_hint(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx else "runbook"
    return f"{path} --help"


def _closed_pipe() -> int:
    """Whoever read our output has gone (`| head`): that is no error, but nothing more can be said."""
    streams.silence()
    return exit_codes.OK

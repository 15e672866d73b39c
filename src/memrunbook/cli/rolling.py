"""How a run goes over its hosts: options, and what config.yaml says where they are not given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from memrunbook.cli.options import Decorated, OptionGroup
from memrunbook.core.errors import UsageError
from memrunbook.core.run.batches import HINT, Rollout

if TYPE_CHECKING:
    from memrunbook.cli.targets import Targets
    from memrunbook.core.host import Host
    from memrunbook.documents.config import Defaults

NOT_KNOWN = "# interrupted before the hosts were known: nothing was done on any; repeat the command\n"


def with_defaults(rollout: Rollout, defaults: Defaults) -> Rollout:
    """What was typed, else what config.yaml says."""
    serial, most = rollout.serial or defaults.serial, rollout.max_failures or defaults.max_failures
    return structs.replace(rollout, serial=serial, max_failures=most)


def _rollout(*, serial: str | None = None, max_failures: str | None = None, retry_file: Path | None = None) -> Rollout:
    sizes = () if serial is None else tuple(word.strip() for word in serial.split(","))
    if max_failures is not None and max_failures.strip() in ("", "0", "0%"):
        what = "a run that may not begin any host changes nothing"
        raise UsageError(what, where="--max-failures", hint=f"{HINT}; 1 ends it at the first failure")
    path = str(retry_file.absolute()) if retry_file else ""
    return Rollout(serial=sizes, max_failures=(max_failures or "").strip(), retry_file=path).checked()


@contextmanager
def kept_true(retry_file: str, targets: Targets) -> Iterator[list[Host]]:
    """Until a run keeps its retry file itself: whoever presses Ctrl-C finds no hosts of another run in it.

    It gets the hosts that are in the list by then; while none are known it names none, which `@FILE` refuses, and is
    not empty either. Where these are read from that very file it stays: it names all of them.
    """
    known: list[Host] = []
    try:
        yield known
    except (KeyboardInterrupt, click.Abort):
        words = [word[1:] for word in (*targets.host, *targets.limit) if word.startswith("@")]
        reads = Path(retry_file) in [Path(word).expanduser().absolute() for word in words]
        if retry_file and (known or not reads):
            from memrunbook.app.rolling import names_of
            from memrunbook.state.retry_file import write_retry_file

            with suppress(UsageError):  # it is told that nothing was done
                write_retry_file(Path(retry_file), names_of(known) or NOT_KNOWN)
        raise


_BATCHES: dict[str, Decorated] = {
    "serial": click.option(
        "--serial",
        metavar="N|N%,…",
        help="In batches of so many hosts, as in 1,10%,50%; the last size repeats. The next begins when all hosts of "
        "one have ended.",
    ),
    "max_failures": click.option(
        "--max-failures",
        metavar="N|N%",
        help="Begin no other host when so many have failed in the whole run; with --serial 1, else no limit.",
    ),
}
_RETRY: dict[str, Decorated] = {
    "retry_file": click.option(
        "--retry-file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write the hosts that did not end well, for --host @FILE; empty where all did.",
    )
}
ROLLOUT = OptionGroup("rollout", _rollout, {**_BATCHES, **_RETRY})
BATCHES = OptionGroup("rollout", _rollout, _BATCHES)
RETRY = OptionGroup("rollout", _rollout, _RETRY)

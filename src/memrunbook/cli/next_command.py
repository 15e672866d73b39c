"""The exact command to type next: what was typed, with `plan` turned into `run` and for one host."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import pairwise

# Options that say how to reach the host or what to run: they belong to the next command too.
KEPT = {
    "--identity", "--known-hosts", "--ssh-config", "--sudo", "--runbooks", "--config-dir", "--state-dir", "-p",
    "--parameter", "--patience", "--allow", "--reason", "--forks", "--watch",
}  # fmt: skip
FLAGS = {"--accept-new-host-keys", "--yes"}


def kept_options(argv: Sequence[str]) -> list[str]:
    """The words of a command line that its successor needs too."""
    words = list(argv)
    kept: list[str] = []
    while words:
        word = words.pop(0)
        name = word.partition("=")[0]
        if name in FLAGS or (name in KEPT and "=" in word):
            kept.append(word)
        elif name in KEPT and words:
            kept += [word, words.pop(0)]
    return kept


def named_host(argv: Sequence[str], host: str) -> str:
    """The host as it was typed, with its user and port."""
    values = [value for word, value in pairwise(argv) if word == "--host"]
    values += [word.removeprefix("--host=") for word in argv if word.startswith("--host=")]
    typed = [one for value in values for one in value.split(",")]
    return next((one for one in typed if one.rpartition("@")[2].partition(":")[0] == host), host)


def reach(argv: Sequence[str], host: str) -> str:
    """The options that reach a host again, as in "--host ada@search-03 --identity key"."""
    return shlex.join(["--host", named_host(argv, host), *kept_options(argv[1:])])


def run_command(argv: Sequence[str], runbook: str, host: str, *more: str) -> str:
    """`runbook run NAME --host HOST …` with the options that were given; `runbook` as it was typed."""
    words = [shlex.join(["runbook", "run", runbook]), reach(argv, host), *([shlex.join(more)] if more else [])]
    return " ".join(words)

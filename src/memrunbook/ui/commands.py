"""Commands inside of what is said: whoever reads a hint copies them, so that they are never broken."""

from __future__ import annotations

import re

OURS = r"runbook\ (?:(?:audit|schedule|notify)\ )?[a-z-]+"
PROGRAM = rf"(?:{OURS}|(?:ssh|ssh-[a-z]+|chmod|chown|ls|sudo|systemctl)(?=\ [-\d]))"
WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'";])+(?<![,:)])"""
PROSE = r"[a-z][a-z']*(?![\w./:@=-])(?!\ [-|<>])"
COMMAND = re.compile(
    rf"""(?<![\w./-]){PROGRAM}
    (?:\ (?:-{{1,2}}[\w-]+(?:=(?:{WORD})?|\ (?![-|<>]){WORD})?   # an option, with its value
         |[|<>]+(?:\ ?{WORD})?                      # where its output goes
         |(?!{PROSE}){WORD}                         # a host, a run, a file, a name in capitals
    ))*""",
    re.VERBOSE,
)
"""A program of ours or of ssh, and its words until the sentence goes on."""


def commands_in(said: str) -> list[tuple[int, int]]:
    """Where commands stand in a sentence: their first character and the one behind their last."""
    return [match.span() for match in COMMAND.finditer(said)]

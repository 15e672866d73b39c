from __future__ import annotations

import pytest

from memrunbook.ui.commands import commands_in

RUN = "20261129T121108Z-zdhm"


@pytest.mark.parametrize(
    ("said", "commands"),
    [
        (f"runbook resume {RUN} looks at it; runbook report {RUN} shows how far", 2 * [RUN]),
        ("anew: runbook plan thrash-2 --host 'a, b' --out FILE", ["runbook plan thrash-2 --host 'a, b' --out FILE"]),
        ("leave it; or runbook on, then runbook off --for TIME", ["runbook on", "runbook off --for TIME"]),
        ("runbook audit verify shows all", ["runbook audit verify"]),
        ("again: runbook run x --identity=/k/id --host=web", ["runbook run x --identity=/k/id --host=web"]),
        ("copy it: ssh-keyscan -p 22 web | ssh-keygen -lf - and compare", ["ssh-keyscan -p 22 web | ssh-keygen -lf -"]),
        ("for a team: chmod 3770 /srv/x; for one user: chmod 700 /srv/x", ["chmod 3770 /srv/x", "chmod 700 /srv/x"]),
        ("ssh refuses its configuration; see ssh-keygen(1)", []),
    ],
)
def test_commands_are_found_in_what_is_said(said: str, commands: list[str]) -> None:
    found = [said[start:end] for start, end in commands_in(said)]
    assert [one[-len(command) :] for one, command in zip(found, commands, strict=True)] == commands


def test_no_text_takes_long() -> None:
    assert commands_in("runbook run '" * 20_000)

"""runbook approve: see what a saved plan would change, and sign it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_plans
from memrunbook.cli.options import COLOR, LIBRARY, STORE, common
from memrunbook.cli.remarks import Remarks
from memrunbook.cli.reply import Color
from memrunbook.core.errors import Refused
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.approving import ApproveResult
    from memrunbook.runtime.ports import Approver
    from memrunbook.state.plans import PlanFile
    from memrunbook.transports.shared.signing import PersonalKey
    from memrunbook.ui.block import Block
    from memrunbook.ui.screen import Screen

UNVOUCHED = "config.yaml names no allowed_signers: nobody vouches for whose key it is, and it counts for nobody"


@click.command()
@click.argument("file", type=click.Path(path_type=Path), shell_complete=complete_plans)
@click.option("--key", type=click.Path(path_type=Path), help="The SSH key to sign with; else one of the agent's.")
@click.option("--principal", default="", metavar="NAME", help="Whose key it is, where allowed_signers leaves it open.")
@common(LIBRARY, STORE, COLOR)
def command(file: Path, key: Path | None, principal: str, library: Library, store: str, color: Color) -> int:
    """Approve the plan saved in FILE: shows each change as its gate would, asks, and signs with an SSH key.

    The signature goes to FILE.approvals. Nothing is carried out; no answer is a no.
    """
    from memrunbook.app import ApproveArguments, approve
    from memrunbook.state.plans import load_plan
    from memrunbook.ui.screen import Screen

    if sys.stdin is None or not sys.stdin.isatty():
        raise Refused("an approval is a person's, and nobody can be asked here", hint="run it at a terminal")
    plan = load_plan(file)
    screen = Screen(color, sys.stderr)
    arguments = ApproveArguments(
        plan=plan, library=library, key=key, principal=principal, store=store, told=Remarks(color).remark
    )
    hosts = tuple(host.name for host in plan.saved.hosts)
    screen.say(_head(plan))
    result = approve(arguments, _approver(screen, hosts), lambda signer, name: _signing(screen, signer, name))
    Screen(color, sys.stdout).say(_page(result, file))
    return exit_codes.OK


def _head(plan: PlanFile) -> list[Block]:
    """What is asked: whose plan for which hosts, and until when."""
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.block import Span, line
    from memrunbook.ui.words import digest_words, moment_words, plural

    saved = plan.saved
    until = min((one.expires_at for one in saved.plans), default=0.0)
    now = SystemClock().now()
    can = "can" if now.utc < until else "could"
    whose = f"{saved.creator or 'somebody'} on {saved.control_node or 'an unknown control node'}"
    return [
        line(
            Span("You are asked to approve ", "strong"), Span(f"{plan.path} ({digest_words(plan.digest)})", whole=True)
        ),
        line(f"made by {whose} for {plural(len(saved.hosts), 'host')} with ", Span(saved.runbook, whole=True)),
        line(f"It {can} be applied until {moment_words(until, now)}. Nothing is carried out now."),
    ]


def _approver(screen: Screen, hosts: tuple[str, ...]) -> Approver:
    import threading

    from memrunbook.app.actor import this_actor
    from memrunbook.cli.keyboard import Keyboard, Unhurried
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.approve import TerminalApprover

    keyboard = Keyboard(threading.Event())
    terminal = TerminalApprover(screen, keyboard.read, SystemClock().now, this_actor().user, hosts)
    return Unhurried(terminal, keyboard)


def _signing(screen: Screen, key: PersonalKey, principal: str) -> None:
    from memrunbook.ui.block import Span, line

    touch = "; touch the key when it blinks" if key.touched else ""
    name = Span(f"{key.words[0]} {key.comment}".strip(), whole=True)
    screen.say([line("Signing as ", Span(principal, "strong", whole=True), " with ", name, f" ({key.place}){touch}")])


def _page(result: ApproveResult, file: Path) -> list[Block]:
    from memrunbook.cli.next_command import apply_command
    from memrunbook.ui.block import Span, line, to_type
    from memrunbook.ui.words import plural

    told = result.approval
    page = [
        line(
            "APPROVED by " if result.vouched else "SIGNED in the name of ",
            Span(told.principal, "strong", whole=True),
            f" ({told.key}); nothing was carried out",
        ),
        line("The approval is in ", Span(str(result.file), whole=True), ": keep it beside the plan"),
    ]
    if not result.vouched:
        page.append(line(UNVOUCHED))
    if result.lacking:
        page.append(line(f"{plural(result.lacking, 'more approval')} needed before it can be applied"))
    return [*page, line("To apply it:  ", to_type(apply_command(file)))]

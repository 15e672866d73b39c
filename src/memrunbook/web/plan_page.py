"""One plan that waits: the page of each change's gate, who approved it, and what whoever looks may do with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from memrunbook.app.applying import void
from memrunbook.app.approving import GateOfPlan, gates_of
from memrunbook.app.approving_by_passkey import OwnPasskey, counting
from memrunbook.app.consenting import Consent, consent_of, lacking
from memrunbook.app.pending_plans import PendingArguments, PendingPlan, waiting_plan
from memrunbook.core.errors import Refused, UsageError
from memrunbook.core.instant import Instant
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.approvals import read_approvals
from memrunbook.state.plans import PlanFile, load_plan
from memrunbook.ui.block import BLANK, Block, Grid, Row, Span, line, row, to_type
from memrunbook.ui.gate import details_view, gate_view, names_to_type
from memrunbook.ui.html.element import Element, element
from memrunbook.ui.words import digest_words, moment_words, plural
from memrunbook.web.drawn import DrawnPage, drawn, linked, main_of, places, section
from memrunbook.web.permitted import may
from memrunbook.web.served import ServedState
from memrunbook.web.sessions import SignedIn

KEY = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
"""What stands in the address of a plan: the beginning of its digest, or all of it."""


@dataclass(frozen=True)
class ShownPlan:
    """A plan that waits, as its file is now; `refused` is why it cannot be applied, `outdated` why it never will."""

    plan: PendingPlan
    file: PlanFile
    gates: Sequence[GateOfPlan]
    consent: Consent
    refused: Refused | None
    outdated: bool
    lacking: int
    signed: frozenset[str]
    now: Instant

    @property
    def hosts(self) -> int:
        """How many hosts it is for."""
        return len(self.file.saved.hosts)


@dataclass(frozen=True)
class Choice:
    """What somebody may do: `passkeys` whose approval would count, and `why` there is none."""

    passkeys: Sequence[OwnPasskey] = ()
    why: str = ""


def plan_shown(served: ServedState, key: str) -> ShownPlan | None:
    """The plan of this address; None where none waits that is called so."""
    arguments = PendingArguments(state=served.state, library=served.library, store=served.store, expired=True)
    try:
        plan = waiting_plan(arguments, key) if KEY.fullmatch(key) else None
        file = load_plan(plan.path) if plan is not None else None
    except UsageError:
        return None
    if plan is None or file is None or not file.digest.startswith(key):
        return None
    now = SystemClock().now()
    consent = consent_of(file, served.library, now)
    refused, difference = void(file, served.library, consent, now)
    return ShownPlan(
        plan=plan,
        file=file,
        gates=list(gates_of(file)),
        consent=consent,
        refused=refused,
        outdated=difference is not None,
        lacking=lacking(file, served.library, now),
        signed=frozenset(one.key for one in read_approvals(file.path)),
        now=now,
    )


def choice_of(served: ServedState, shown: ShownPlan, session: SignedIn, own: Sequence[OwnPasskey]) -> Choice:
    """Whether somebody's approval would count, judged as for any approval."""
    if not may(session, "approver"):
        return Choice(why=f"Your role is {session.role}: approvers and operators approve and decline plans.")
    if not session.person:
        return Choice(why="Nobody knows who you are: sign in by a passkey, not by a link, to approve.")
    if shown.outdated or not any(gate.asked for gate in shown.gates):
        return Choice(why="There is nothing to approve here any more.")
    if any(one.key.fingerprint in shown.signed for one in own):
        return Choice(why=f"You, {session.person}, approved it already.")
    if not own:
        why = f"No passkey of {session.person} is known at this address: register one, or approve at the terminal."
        return Choice(why=why)
    found, why = counting(shown.file, served.library, session.person, own, shown.now)
    return Choice(found, "" if found else f"Your approval would not count: {why}")


def plan_page(served: ServedState, shown: ShownPlan, session: SignedIn, choice: Choice) -> DrawnPage:
    """The whole page."""
    saved = shown.file.saved
    where = saved.hosts[0].name if shown.hosts == 1 else plural(shown.hosts, "host")
    title = f"{shown.plan.runbook} on {where}"
    main = main_of(
        title,
        *drawn(_state(shown, choice)),
        *drawn([Grid(tuple(_about(shown)), indent=0)]),
        section("Approvals", _approvals(shown), "approvals"),
        _changes(shown, session, choice),
        _others(served, shown, session),
    )
    return DrawnPage(title, linked(main, places((), [host.name for host in saved.hosts])))


def _state(shown: ShownPlan, choice: Choice) -> list[Block]:
    if shown.refused is None:
        return [line(Span("READY", "good"), ": nothing is lacking, an operator may apply it")]
    word = Span("VOID", "critical") if shown.outdated else Span("WAITS", "warning")
    found: list[Block] = [line(word, ": ", Span(shown.plan.void or shown.refused.message, whole=True))]
    if choice.passkeys:
        return [*found, line("What helps: look at each change below, and approve it there by your passkey")]
    return [*found, line("What helps: ", Span(shown.refused.hint, whole=True))] if shown.refused.hint else found


def _about(shown: ShownPlan) -> Iterator[Row]:
    saved, plan = shown.file.saved, shown.plan
    made = f"{saved.creator or 'somebody'} on {saved.control_node or 'an unknown control node'}"
    yield row("Plan", body=Span(f"{plan.id}, {digest_words(shown.file.digest)}", whole=True))
    yield row("File", body=Span(str(plan.path), whole=True))
    yield row("Made by", body=Span(f"{made}, {moment_words(plan.at, shown.now)}", whole=True))
    until = min((one.expires_at for one in saved.plans), default=0.0)
    can = "can be applied until" if shown.now.utc < until else "could be applied until"
    yield row("Time", body=f"{can} {moment_words(until, shown.now)}")
    for host in saved.hosts:
        yield row("Host", body=Span(host.name, "strong", whole=True))


def _approvals(shown: ShownPlan) -> list[Block]:
    consent = shown.consent
    rows = [row(Span("counts", "good"), body=Span(one, whole=True)) for one in consent.counted]
    rows += [row(Span("does not count", "warning"), body=Span(one, whole=True)) for one in consent.uncounted]
    found: list[Block] = [Grid(tuple(rows), indent=0)] if rows else [line("Nobody approved it yet.")]
    return [*found, line(f"{plural(shown.lacking, 'more approval')} needed.")] if shown.lacking else found


def _changes(shown: ShownPlan, session: SignedIn, choice: Choice) -> Element:
    """Each change; where somebody may approve it, as a form that asks of each what its gate asks."""
    pages = [_gate(shown, number, gate, bool(choice.passkeys)) for number, gate in enumerate(shown.gates, 1)]
    heading = element("h2", "", f"What it would change: {plural(len(pages), 'change')}", id="changes")
    inside: list[Element] = [heading, *pages]
    if not choice.passkeys:
        return element("section", "", *inside, *drawn([line(choice.why)]), aria_labelledby="changes")
    form = form_of_plan(
        shown, session, "approve", *inside,
        *(element("input", type="hidden", name=name, value="") for name in SIGNED),
        element("p", "told", role="status", aria_live="polite"),
        element("noscript", "", *drawn([line("Passkeys need JavaScript. Without it, approve at the terminal.")])),
        element("p", "", element("button", "primary", "Approve by passkey", type="submit")),
    )  # fmt: skip
    form.set("data-passkey", f"/pending/{shown.file.digest}/challenge")
    return element("section", "", form, aria_labelledby="changes")


SIGNED = ("credential", "authenticator_data", "client_data", "signature")
"""What the passkey answered, as fields of the form: base64url."""


def form_of_plan(shown: ShownPlan, session: SignedIn, act: str, *inside: Element | None) -> Element:
    """A form of this session about this very plan."""
    return element(
        "form", act, element("input", type="hidden", name="csrf", value=session.csrf),
        element("input", type="hidden", name="digest", value=shown.file.digest), *inside,
        method="post", action=f"/pending/{shown.file.digest}/{act}",
    )  # fmt: skip


def _gate(shown: ShownPlan, number: int, gate: GateOfPlan, asks: bool) -> Element:  # noqa: FBT001  told by its caller
    position = f"change {number} of {len(shown.gates)}" if len(shown.gates) > 1 else ""
    view = gate_view(gate.host, gate.question, shown.now, position, script="the script stands below")
    details = element(
        "details", "", element("summary", "", "The evidence, the whole script, what would take it back"),
        *drawn(details_view(gate.question), 4),
    )  # fmt: skip
    found = element("div", "gate", *drawn(view, 3), details)
    for part in _confirmed(shown, number, gate) if asks and gate.asked else ():
        found.append(part)
    return found


def _confirmed(shown: ShownPlan, number: int, gate: GateOfPlan) -> Iterator[Element]:
    """What is confirmed of one change: as much as at the terminal."""
    change = gate.question.step.change
    what = change.summary if change else gate.question.step.name
    for place, name in enumerate(names_to_type(gate.host, gate.question, shown.hosts), 1):
        known = f"{number}-{place}"
        if name:
            field = element("input", type="text", name=f"name-{known}", id=f"name-{known}", required="required",
                            autocomplete="off", autocapitalize="off", spellcheck="false")  # fmt: skip
            yield _labelled(element("label", "", "Type ", element("code", "", name), " to go on"), field, first=False)
        else:
            box = element(
                "input", type="checkbox", name=f"yes-{known}", id=f"yes-{known}", value="yes", required="required"
            )
            label = element("label", "", "Yes: ", element("strong", "", what), f" on {gate.host}")
            yield _labelled(label, box, first=True)


def _labelled(label: Element, field: Element, *, first: bool) -> Element:
    """A field with its label; `first`: the field stands before it."""
    label.set("for", field.get("id", ""))
    return element("p", "confirm", *((field, label) if first else (label, field)))


def _apply_form(shown: ShownPlan, session: SignedIn) -> Element:
    """Carries it out: with a reason, which the journal keeps, and a word that this is meant."""
    box = element("input", type="checkbox", name="sure", id="sure", value="yes", required="required")
    sure = element("label", "", "Yes: this plan is carried out now, exactly as it stands above")
    reason = element("input", type="text", name="reason", id="applied", maxlength=500, autocomplete="off")
    why = element("label", "", "Why (kept in the journal)")
    return form_of_plan(
        shown, session, "apply", _labelled(sure, box, first=True), _labelled(why, reason, first=False),
        element("p", "", element("button", "primary", "Apply", type="submit")),
    )  # fmt: skip


def _others(served: ServedState, shown: ShownPlan, session: SignedIn) -> Element:
    """What else may be done, here and at the terminal."""
    heading = element("h2", "", "What else may be done", id="others")
    found = element("section", "", heading, aria_labelledby="others")
    if may(session, "operator") and shown.refused is None:
        found.append(_apply_form(shown, session))
    if may(session, "approver"):
        reason = element("input", type="text", name="reason", id="declined", maxlength=500, autocomplete="off")
        label = _labelled(element("label", "", "Why (kept in the state directory)"), reason, first=False)
        button = element("button", "", "Decline", type="submit")
        found.append(form_of_plan(shown, session, "decline", label,
                                  element("p", "", button)))  # fmt: skip
    commands = served.commands
    typed: list[Block] = [line("At the terminal:")]
    if not shown.outdated:
        typed += [line("approve it:  ", to_type(commands.approve(shown.plan)), indent=2)]
        typed += [line("apply it:  ", to_type(commands.apply(shown.plan)), indent=2)]
    else:
        typed += [line("plan anew:  ", to_type(commands.again(shown.plan)), indent=2)]
    typed += [line("decline it:  ", to_type(commands.decline(shown.plan)), indent=2)]
    for one in drawn([BLANK, *typed]):
        found.append(one)
    return found

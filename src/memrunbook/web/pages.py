"""The pages: each asks the use cases and draws their views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from memrunbook.app.accounting import doubts_about_list
from memrunbook.app.auditing import AuditArguments, audit
from memrunbook.app.braking import switched_off
from memrunbook.app.going_on import completed
from memrunbook.app.pending_plans import PendingArguments, PendingPlan, pending
from memrunbook.app.reporting import list_runs
from memrunbook.app.shown_audit import audit_pages
from memrunbook.app.shown_pending import waiting_view
from memrunbook.app.shown_report import run_page, told_of
from memrunbook.app.shown_runs import run_lines
from memrunbook.app.stored import Stored
from memrunbook.core.instant import Instant
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.asked import AskedFor, read_asked
from memrunbook.state.runs import run_of
from memrunbook.state.sign_ins import SignIn, read_sign_ins
from memrunbook.ui.audit import doubt_view
from memrunbook.ui.block import Block, Grid, Row, Span, line, row, to_type
from memrunbook.ui.html.page import page_main
from memrunbook.ui.journal import RunLine, runs_view
from memrunbook.ui.pending import pending_view
from memrunbook.ui.words import moment_words, plural
from memrunbook.web.drawn import DrawnPage, drawn, linked, main_of, places, plan_place, section
from memrunbook.web.hosts import hosts_table, known_hosts
from memrunbook.web.run_names import is_run
from memrunbook.web.served import ServedState

MOST_RUNS = 500
"""Runs on a page: nobody reads more, and `runbook runs` lists them all."""
SHOWN_SIGN_INS = 50
WAITING_PLANS = "Waiting plans"


def overview(served: ServedState) -> DrawnPage:
    """What needs a person, what is under way, and how each host stands."""
    found, now = list_runs(served.state), SystemClock().now()
    lines = run_lines(found, now, served.severest)
    known = known_hosts(served, found.runs)
    waiting, unshared = _waiting(served)
    under_way = [one for one in lines if one.outcome == "running"]
    off = switched_off(Stored(served.state, served.library.config(), served.store))
    said: list[Block] = doubt_view(doubts_about_list(served.state))
    said += [line(Span("OFF", "warning"), f": {off}")] if off else []
    said += [line(Span("UNKNOWN", "unknown"), f": {problem}") for problem in (*known.problems, *unshared)]
    main = main_of(
        "Overview",
        *drawn(said),
        section("Needs a person", _needs(lines, len(waiting), served, now), "needs"),
        section("Under way", _runs(under_way, served, now) if under_way else [line("No run is under way.")], "under"),
        section("Hosts", hosts_table(known, now), "hosts"),
    )
    leads = {**places([run.run_id for run in found.runs], known.hosts), WAITING_PLANS: "/pending"}
    return DrawnPage("Overview", linked(main, leads))


def _waiting(served: ServedState) -> tuple[Sequence[PendingPlan], Sequence[str]]:
    """The plans that wait, and what of those that other control nodes keep is not known, in words."""
    said = list[str]()
    arguments = PendingArguments(
        state=served.state, library=served.library, store=served.store, told=lambda words, _hint: said.append(words)
    )
    return pending(arguments), said


def _needs(lines: Sequence[RunLine], plans: int, served: ServedState, now: Instant) -> list[Block]:
    """Plans that wait, and runs that were cut off or left a step open."""
    left = [one for one in lines if one.outcome == "interrupted" or one.open]
    found: list[Block] = []
    if plans:
        found.append(line(Span(plural(plans, "plan"), "strong"), f" wait{'s' if plans == 1 else ''} for a person: see ",
                          Span(WAITING_PLANS, "strong", whole=True)))  # fmt: skip
    return [*found, *(_runs(left, served, now) if left else [])] or [line(Span("Nothing", "good"), " waits.")]


def _runs(lines: Sequence[RunLine], served: ServedState, now: Instant) -> list[Block]:
    return runs_view(lines, now, lambda command: completed(command, served.words))[1:-1]


def runs_page(served: ServedState) -> DrawnPage:
    """The runs, the newest first."""
    found, now = list_runs(served.state), SystemClock().now()
    lines = run_lines(found, now, served.severest)
    blocks: list[Block] = doubt_view(doubts_about_list(served.state))
    blocks.append(line(plural(len(lines), "run") if lines else "No runs yet."))
    blocks += _runs(lines[:MOST_RUNS], served, now) if lines else []
    if len(lines) > MOST_RUNS:
        blocks.append(line(f"{len(lines) - MOST_RUNS:,} older ones: ", to_type("runbook runs")))
    hosts = {host for run in found.runs for host in run.hosts}
    main = main_of("Runs", *drawn(blocks))
    return DrawnPage("Runs", linked(main, places([one.run_id for one in lines], hosts)))


def one_run(served: ServedState, run: str) -> DrawnPage | None:
    """The report of a run; None where there is none of this id."""
    if not is_run(served.state, run):
        return None
    told = told_of(served.state, run)
    page = run_page(told)
    live = run_of(served.state, run).state == "running"
    main = page_main(page)
    state = "Under way: this page follows it." if live else "Over."
    typed = completed(f"runbook report {run}", served.words)
    for place, one in enumerate(drawn([line(f"{state} The same at the terminal: ", to_type(typed))]), 1):
        one.set("class", "live")
        main.insert(place, one)
    hosts = [report.host for report in told.result.reports]
    return DrawnPage(page.title, linked(main, places((), hosts)), live)


def pending_page(served: ServedState) -> DrawnPage:
    """The plans that wait; the id of each leads to the page where it is approved, applied or declined."""
    found, unshared = _waiting(served)
    blocks: list[Block] = [line(Span("UNKNOWN", "unknown"), f": {said}") for said in unshared]
    blocks += pending_view([waiting_view(one, served.commands) for one in found], SystemClock().now())
    main = main_of(WAITING_PLANS, *drawn(blocks))
    named = {one.id: plan_place(one.digest) for one in found}
    return DrawnPage(WAITING_PLANS, linked(main, {**places((), {one.host for one in found}), **named}))


def journal_page(served: ServedState) -> DrawnPage:
    """Whether the journals are intact, and who signed in."""
    config = served.library.config()
    keys = (config.allowed_signers, config.revoked_keys) if config.allowed_signers else ((), ())
    result = audit(
        AuditArguments(
            state=served.state,
            allowed_signers=keys[0],
            revoked_keys=keys[1],
            library=served.library,
            store=served.store,
        )
    )
    blocks = [block for page in audit_pages(result, served.state) for block in page]
    typed = to_type(completed("runbook audit verify", served.words))
    main = main_of(
        "Journal",
        *drawn([*blocks, line("The same at the terminal: ", typed)]),
        section("Asked for on these pages", _asked(read_asked(served.state)), "asked"),
        section("Sign-ins", _sign_ins(read_sign_ins(served.state)), "sign-ins"),
    )
    return DrawnPage("Journal", main)


WHAT: Mapping[str, str] = {"apply": "a plan was to be applied", "alert": "alerts were to be looked at"}
EVENTS: Mapping[str, Span] = {
    "link": Span("link made"),
    "in": Span("signed in", "good"),
    "refused": Span("refused", "warning"),
    "out": Span("signed out"),
    "invited": Span("invited"),
    "registered": Span("passkey registered"),
    "removed": Span("passkey removed"),
}


def _asked(found: Sequence[AskedFor]) -> list[Block]:
    if not found:
        return [line("Nothing was asked for yet.")]
    rows = (
        row(
            moment_words(one.at), WHAT[one.what], f"sha256:{one.digest[:8]}",
            body=Span(f"{one.told().removeprefix('on the pages ')}{f', from {one.address}' if one.address else ''}"),
        )
        for one in list(reversed(found))[:SHOWN_SIGN_INS]
    )  # fmt: skip
    return [line(f"{plural(len(found), 'record')}, the newest first"), Grid(tuple(rows))]


def _sign_ins(found: Sequence[SignIn]) -> list[Block]:
    blocks: list[Block] = [line(f"{plural(len(found), 'record')}, the newest first")]
    return [*blocks, Grid(tuple(_sign_in_rows(found)))] if found else [line("Nobody has signed in yet.")]


def _sign_in_rows(found: Sequence[SignIn]) -> Iterator[Row]:
    for one in list(reversed(found))[:SHOWN_SIGN_INS]:
        about = ", ".join(
            part
            for part in (
                one.person,
                one.how,
                f"role {one.role}" if one.role else "",
                f"from {one.address}" if one.address else "",
                f"session {one.session}" if one.session else "",
                one.why,
            )
            if part
        )
        at = f"{one.at[:19].replace('T', ' ')} UTC"
        yield row(at, EVENTS[one.event], body=Span(about))

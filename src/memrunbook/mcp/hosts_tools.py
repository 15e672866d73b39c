"""The tools that read hosts: facts, diagnose, plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import structs

from memrunbook.app.diagnosing import DiagnoseArguments, diagnose
from memrunbook.app.measuring import FactsArguments, chosen_metrics, facts
from memrunbook.app.planning import PlanArguments, PlanResult, plan
from memrunbook.core.errors import RunbookError, UsageError
from memrunbook.core.plan.headline import headline
from memrunbook.core.plan.judged import Judged, Planned
from memrunbook.core.plan.ranking import Alike, ranked
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.spec import Sampling
from memrunbook.core.units import Duration
from memrunbook.documents.printed.diagnose import diagnose_document, printed_host
from memrunbook.documents.printed.facts import FactsDocument, host_with_facts
from memrunbook.documents.printed.plan import plan_document, planned_host
from memrunbook.mcp.answer import ToolAnswer
from memrunbook.mcp.following import Following
from memrunbook.mcp.inputs import LONGEST_READING, DiagnoseAsked, FactsAsked, PlanAsked
from memrunbook.mcp.naming import named_hosts, named_runbook
from memrunbook.mcp.served import Served
from memrunbook.runtime.clock import SystemClock
from memrunbook.ui.block import Block
from memrunbook.ui.diagnosis import diagnosis_view
from memrunbook.ui.errors import error_view
from memrunbook.ui.facts import facts_view
from memrunbook.ui.fleet import fleet_verdict, fleet_view, group_words
from memrunbook.ui.header import open_blocks
from memrunbook.ui.layout import plain
from memrunbook.ui.plan import plan_end, plan_head
from memrunbook.ui.problems import left_out_view

if TYPE_CHECKING:
    from memrunbook.app.diagnosing import DiagnoseResult

ALONE = "Ask for one host alone to get its whole page."


def facts_tool(served: Served, asked: FactsAsked, following: Following) -> ToolAnswer:
    """Metrics of hosts."""
    chosen = chosen_metrics(asked.metrics)
    if asked.samples * asked.every > LONGEST_READING:
        what = f"{asked.samples} samples, {asked.every:g} s apart, take longer than {LONGEST_READING:g} s"
        raise UsageError(what, where="samples", hint="ask for fewer")
    arguments = FactsArguments(
        hosts=named_hosts(served, asked.hosts),
        facts=frozenset(name.partition(".")[0] for name in chosen),
        sampling=Sampling(asked.samples, Duration(asked.every)),
        connectors=served.connectors(following),
        library=served.library,
        state=served.state,
    )
    found = facts(arguments, following, stop=following.stop)
    refuse_unread(found)
    pages = [facts_view(one.snapshot, chosen) if one.snapshot else error_view(one.error, one.name) for one in found]
    return ToolAnswer(FactsDocument(hosts=tuple(host_with_facts(one, chosen) for one in found)), pages)


def diagnose_tool(served: Served, asked: DiagnoseAsked, following: Following) -> ToolAnswer:
    """What is wrong with hosts."""
    arguments = DiagnoseArguments(
        hosts=named_hosts(served, asked.hosts),
        connectors=served.connectors(following),
        library=served.library,
        state=served.state,
        store=served.store,
        watch=asked.watch_seconds,
        quick=asked.quick,
        history=served.history,
    )
    found = diagnose(arguments, following, stop=following.stop)
    refuse_unread(one.reached for one in found.hosts)
    ranking = ranked(headline(one) for one in found.hosts)
    commands = [_next_command(served, group) for group in ranking.groups]
    told = ((plain(group_words(group)), command) for group, command in zip(ranking.groups, commands, strict=True))
    verdict = plain(fleet_verdict(ranking, commands).body)
    document = diagnose_document([printed_host(one, found.off) for one in found.hosts], ranking, verdict, told)
    left_out = [left_out_view(found.left_out)] if found.left_out else []
    if len(found.hosts) > 1:
        return ToolAnswer(document, [*left_out, fleet_view(ranking, commands, found.off, full=ALONE)])
    return ToolAnswer(document, [*left_out, _diagnosis_page(served, found.hosts[0], found)])


def _diagnosis_page(served: Served, judged: Judged, found: DiagnoseResult[Judged]) -> list[Block]:
    reached, diagnosis = judged.reached, judged.diagnosis
    if reached.snapshot is None or diagnosis is None:
        return error_view(reached.error, reached.name)
    options, now = served.options("plan", reached.host), SystemClock().now()
    return diagnosis_view(diagnosis, reached.snapshot, options, now, off=found.off)


def _next_command(served: Served, group: Alike) -> str:
    """What a person types next; empty where there is nothing to do."""
    first, hosts = group.first, [one.host for one in group.hosts]
    if first.outcome == "unreachable":
        return served.command("doctor", hosts=hosts)
    return served.command("plan", first.incident.runbook, hosts=hosts) if first.incident is not None else ""


def plan_tool(served: Served, asked: PlanAsked, following: Following) -> ToolAnswer:
    """What a runbook would do."""
    found = plan(plan_arguments(served, asked, following), following, stop=following.stop)
    refuse_unread(one.reached for one in found.hosts)
    hosts = [planned_host(one, found.off) for one in found.hosts]
    document = plan_document(found.runbook.name, hosts, found.open, found.freezes)
    return ToolAnswer(document, [_plan_page(served, one, found) for one in found.hosts])


def plan_arguments(served: Served, asked: PlanAsked, following: Following) -> PlanArguments:
    """A runbook of the library on hosts that were named."""
    return PlanArguments(
        runbook=named_runbook(served, asked.runbook),
        hosts=named_hosts(served, asked.hosts),
        connectors=served.connectors(following),
        library=served.library,
        state=served.state,
        store=served.store,
        parameters=asked.parameters,
        watch=asked.watch_seconds,
        history=served.history,
    )


def _plan_page(served: Served, planned: Planned, found: PlanResult[Planned]) -> list[Block]:
    head = plan_head_of(planned, found)
    if planned.plan is None:
        return head
    host = structs.replace(planned.reached.host, transport="ssh")  # a recording shows what is then done on hosts
    command = served.command("run", found.runbook.name, hosts=[host])
    return [*head, *plan_end(planned.plan, command, SystemClock().now())]


def plan_head_of(planned: Planned, found: PlanResult[Planned]) -> list[Block]:
    """The page of a plan but for what comes next."""
    reached, diagnosis = planned.reached, planned.diagnosis
    left = found.open.get(reached.name, ())
    if reached.snapshot is None or diagnosis is None or planned.plan is None:
        return [*error_view(reached.error, reached.name), *open_blocks(left)]
    frozen, now = [(one.told, one.hint) for one in found.freezes.get(reached.name, ())], SystemClock().now()
    return plan_head(diagnosis, planned.plan, reached.snapshot, now, left=left, frozen=frozen, off=found.off)


def refuse_unread(hosts: Iterable[Reached]) -> None:
    """Raises why, where one host alone was asked for and not read: that is the answer."""
    errors: list[RunbookError | None] = [one.error for one in hosts]
    if len(errors) == 1 and errors[0] is not None:
        raise errors[0]

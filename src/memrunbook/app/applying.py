"""Carries out a saved plan: exactly what was approved, on exactly the hosts that it was made for, once."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from memrunbook.app.actor import this_actor
from memrunbook.app.connectors import Connectors
from memrunbook.app.consenting import Consent, consent_of
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.refusing import record_refusal
from memrunbook.app.rolling import write_names
from memrunbook.app.ruling import demand_reason
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.running import run
from memrunbook.app.sharing_plans import share_plans
from memrunbook.app.stored import Stored
from memrunbook.core.action.action import Risk
from memrunbook.core.errors import Refused, UsageError
from memrunbook.core.instant import Instant
from memrunbook.core.plan.consents import Consents
from memrunbook.core.plan.saved import Difference, SavedPlan, allowed, not_approved, other_runbook
from memrunbook.core.run.applied import ApprovedPlan, again
from memrunbook.core.run.batches import Rollout
from memrunbook.core.run.record import Actor, AppliedPlan
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.documents.library import Library, usual_library
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state.applied import carried_out
from memrunbook.state.paths import usual_state_dir
from memrunbook.state.plans import MADE, PlanFile, load_plan
from memrunbook.state.waiting import declined
from memrunbook.ui.approve import AT_A_TERMINAL

REPLAY = "replay"


@dataclass(frozen=True, kw_only=True)
class ApplyArguments:
    """A saved plan's file. `parameters` are those whose values the file does not keep, as text.

    `reason` and `command` (what was typed) are kept in the journal, and `options`, the words that say how the hosts are
    reached. `break_lock` takes over the lock of a dead run. `store`, `rollout` and `asked` are as of a run.
    """

    file: Path
    connectors: Connectors = field(default_factory=Connectors)
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    command: str = ""
    options: tuple[str, ...] = ()
    break_lock: bool = False
    consents: Consents = field(default_factory=Consents)
    rollout: Rollout = field(default_factory=Rollout)
    actor: Actor = field(default_factory=this_actor)
    asked: str = ""


def apply(
    arguments: ApplyArguments,
    notice: Notice = SILENT,
    *,
    stop: threading.Event | None = None,
) -> RunResult:
    """Carries out a saved plan: nobody is asked, and nothing else than what was approved is done.

    What makes the plan void is in the reports, and in the journal. UsageError or DocumentError for what cannot be
    asked, Refused for a plan that this version does not understand, JournalError where the journal cannot be written.
    """
    stored = Stored(arguments.state, arguments.library.config(), arguments.store)
    share_plans(stored, also=load_plan(arguments.file))
    file = load_plan(arguments.file)  # a newer one may have taken its place elsewhere
    if file.digest in declined(arguments.state):
        raise Refused("a person declined this plan", where=str(file.path), hint="plan anew: runbook plan")
    saved, now = file.saved, SystemClock().now()
    asked = _asked(arguments, saved)
    demand_reason(arguments.library.config(), arguments.reason, _risk_of(saved), arguments.command)
    consent = consent_of(file, arguments.library, now)
    refused, difference = void(file, arguments.library, consent, now, arguments.options)
    asked = replace(asked, applied=applied_by(file, consent), plan=file.content, people=len(consent.counted))
    if refused is not None:
        write_names(asked.rollout.checked().retry_file, asked.hosts)
        return record_refusal(asked, saved, refused, difference, notice)
    approved = approved_by(file, arguments.state, arguments.options)
    approver = PlanApprover(approved, file.digest, arguments.actor.user, consent.words)
    return run(replace(asked, approved=approved), approver, notice, stop=stop)


@dataclass(frozen=True)
class PlanApprover:
    """Says yes to exactly the changes of a saved plan; `words` say who approved it."""

    approved: Mapping[str, ApprovedPlan]
    digest: str
    who: str
    words: str = ""

    def approve(self, host: str, question: AskApproval) -> Approval:
        """Yes where this very change of this step was approved for this host."""
        step, plan = question.step, self.approved[host]
        how = f"apply {self.digest}"
        if question.offered:
            why = "nobody can be asked here whether it is taken back"
            return Approval(SystemClock().now(), "no", step.digest, self.who, "none", why)
        if question.limits:  # whoever approved the plan did not know of them
            why = f"{question.limits[0]}; {AT_A_TERMINAL}"
            return Approval(SystemClock().now(), "no", step.digest, self.who, "none", why)
        if step.digest in allowed(plan.plan, plan.digests, step.id):
            return Approval(SystemClock().now(), "yes", step.digest, self.who, how, self.words)
        what, approved, now = not_approved(plan.plan, step)
        why = f"{what}: approved: {approved}; now: {now}"
        return Approval(SystemClock().now(), "no", step.digest, self.who, how, why)


def _risk_of(saved: SavedPlan) -> Risk:
    """The highest risk of what was planned."""
    changes = [step.change for plan in saved.plans for step in plan.changes]
    return max((change.risk for change in changes if change is not None), default=Risk.NONE)


def _asked(arguments: ApplyArguments, saved: SavedPlan) -> RunArguments:
    """The run that the plan stands for; UsageError for parameters that the file keeps, or lacks."""
    for name in arguments.parameters:
        if name not in saved.hidden:
            hint = "a plan is applied as it was approved; plan again with other parameters"
            raise UsageError(f"the plan has its parameter {name!r}", where=f"-p {name}", hint=hint)
    missing = [name for name in saved.hidden if name not in arguments.parameters]
    if missing:
        what = f"the plan does not hold what deciding it again needs: {', '.join(missing)}"
        hint = "give it with -p NAME=VALUE, as when the plan was made: its file keeps no secrets"
        raise UsageError(what, where=str(arguments.file), hint=hint)
    if any(host.transport == REPLAY for host in saved.hosts):
        what = "the plan was made from a recording: there is no host"
        raise UsageError(what, where=str(arguments.file), hint=MADE)
    return RunArguments(
        runbook=saved.runbook,
        hosts=saved.hosts,
        connectors=arguments.connectors,
        library=arguments.library,
        state=arguments.state,
        store=arguments.store,
        parameters={**saved.parameters, **arguments.parameters},
        watch=saved.watch,
        reason=arguments.reason,
        command=arguments.command,
        options=arguments.options,
        break_lock=arguments.break_lock,
        consents=arguments.consents,
        rollout=arguments.rollout,
        actor=arguments.actor,
        asked=arguments.asked,
    )


def approved_by(file: PlanFile, state: Path, options: Sequence[str] = ()) -> dict[str, ApprovedPlan]:
    """By host what a plan's file says was approved; `options` say how the hosts are reached, for who plans again."""
    saved = file.saved
    return {
        host.name: ApprovedPlan(
            plan,
            digests,
            partial(carried_out, state, file.digest, host.name),
            _again(saved, options),
            words=redact,
            digest=file.digest,
        )
        for host, plan, digests in zip(saved.hosts, saved.plans, saved.digests, strict=True)
    }


STORE = "--store"


def _again(saved: SavedPlan, options: Sequence[str]) -> str:
    hosts = ",".join(host.typed for host in saved.hosts)
    if STORE in options:  # a plan is kept by none
        at = options.index(STORE)
        options = [*options[:at], *options[at + 2 :]]
    return again(shlex.quote(saved.runbook), shlex.quote(hosts), shlex.join(options))


def applied_by(file: PlanFile, consent: Consent) -> AppliedPlan:
    """What the journal keeps of a saved plan that a run carries out."""
    return AppliedPlan(
        str(file.path.absolute()),
        file.digest,
        file.saved.creator,
        consent.counted,
        consent.uncounted,
        consent.kept,
    )


def void(
    file: PlanFile, library: Library, consent: Consent, now: Instant, options: Sequence[str] = ()
) -> tuple[Refused | None, Difference | None]:
    """Why the plan may not be applied at all, if it may not: the file, its time, its runbook, its approvals."""
    difference = file.outdated(now) or _other_runbook(file.saved, library)
    if difference is not None:
        return Refused(difference.what, hint=_again(file.saved, options)), difference
    return consent.refused, None


def _other_runbook(saved: SavedPlan, library: Library) -> Difference | None:
    for plan in saved.plans:
        try:
            digest = library.digest(saved.runbook)
        except UsageError as error:
            return Difference("the runbook is not there any more", f"runbook {saved.runbook}", str(error))
        if digest != plan.runbook_digest:
            return other_runbook(plan, digest)
    return None

"""The pages of the audit: each verdict, a journal that is not as it was written, and who did what."""

from __future__ import annotations

from tests.golden import samples as s

from memrunbook.app.second_witness import StoreAnswer
from memrunbook.core.run.account import Account, ChangeAccount, HostAccount
from memrunbook.core.run.record import Actor, AppliedPlan, Ended, EndedHost, Invoked, KeptApproval, Resumed
from memrunbook.state.audit import AuditFinding
from memrunbook.state.chain import Link
from memrunbook.state.kept_approvals import ProvenApproval, told_approval
from memrunbook.state.signatures import SigningKey
from memrunbook.state.store.journals import LedgerSight
from memrunbook.state.witness import LogComparison
from memrunbook.ui.audit import approvals_view, audit_view, doubt_view
from memrunbook.ui.block import Block
from memrunbook.ui.ends import ends_view, store_view, unasked_view
from memrunbook.ui.report import report_view
from memrunbook.ui.who import accounts_view, who_view

STATE = "/var/lib/memrunbook"
HEAD = "7246889fbe0e0486624304c93414c4bd27628a24ffed57095a658a4cb2af1718"
TORN = AuditFinding("note", f"{STATE}/runs/{s.RUN}/web-1.jsonl:9", "the last record was cut off while it was written")
UNENDED = AuditFinding("note", f"{STATE}/runs/{s.RUN}",
                       "the run was interrupted: it has no end; of its last records nobody vouches for 2 of w.jsonl",
                       unended=True)  # fmt: skip
REMOVED = AuditFinding("error", f"{STATE}/runs/{s.RUN}/{s.HOST}.jsonl:7",
                       "record 8 stands where record 7 belongs: records were removed, inserted or moved")  # fmt: skip
AGREED = LogComparison(s.HOST, 12, 10, ("its journal", "its kernel log"), "", (), "20261122T094107Z-abcd")
UNREAD = LogComparison("web-1", 3, 0, (), "the connection was lost while its logs were being read", ())
STORE = "postgresql://runbook@db.example/runbook"
CUT = AuditFinding(
    "error", f"{STATE}/ledger.jsonl",
    f"2 of the 126 entries that the store at {STORE} saw are missing at its end: it was cut",
)  # fmt: skip
SEEN = StoreAnswer(name=STORE, sight=LedgerSight(Link(HEAD, 124), "ctl-1", 0.0), others=2)
BEHIND = StoreAnswer(name=STORE, sight=LedgerSight(Link(HEAD, 123), "ctl-1", 0.0))
SILENT = StoreAnswer(name=STORE, problem="the store does not answer: connection refused")
UNKNOWN = StoreAnswer(name=STORE, others=1)
ACTOR = Actor("root", "0", "ada", "192.0.2.9", "/dev/pts/3", "ctl-1")
RESTART = ChangeAccount(
    at="2026-11-22T09:43:11.000Z", step="restart-grower", action="restart_unit", target=s.GROWER,
    summary=f"Restart {s.GROWER}", answer="yes", who="ada", how="terminal", state="Done", ended="done",
)  # fmt: skip
SWAP = ChangeAccount(
    at="2026-11-22T09:46:00.000Z", step="swap-less", action="set_sysctl", target="vm.swappiness",
    summary="vm.swappiness 60 -> 10", answer="yes", who="ada", how="--yes", state="Done", ended="undone",
)  # fmt: skip
BACK = ChangeAccount(
    at="2026-11-22T09:47:00.000Z", step="swap-less", action="set_sysctl", target="vm.swappiness",
    summary="vm.swappiness 60 -> 10", undo=True, state="Done",
)  # fmt: skip
REFUSED = ChangeAccount(
    at="2026-11-22T09:48:00.000Z", step="stop-batch", action="stop_unit", target="batch.service",
    summary="Stop batch.service", answer="no", who="ada", how="none", ended="refused",
    why="nobody can be asked here, and risk high needs --allow stop_unit:batch.service",
)  # fmt: skip
ACCOUNT = Account(
    run=s.RUN,
    state="ended",
    invoked=Invoked(
        time="2026-11-22T09:41:07.000Z", engine="0", actor=ACTOR, reason="ticket 4711",
        command=f"run swap-thrashing --host {s.HOST} --reason 'ticket 4711'", runbook="swap-thrashing",
        runbook_digest="", origin="shipped", parameters={}, hosts=(s.HOST,),
        applied=AppliedPlan("/tmp/plan.json", "sha256:0", "bob", ("mary (SHA256:abc)",)),
    ),
    ended=Ended(time="2026-11-22T09:49:00.000Z", hosts=(EndedHost(s.HOST, "refused"),)),
    resumed=(Resumed(time="2026-11-22T09:45:00.000Z", engine="0", actor=ACTOR, command=f"resume {s.RUN}"),),
    hosts=(HostAccount(s.HOST, "refused", (RESTART, SWAP, BACK, REFUSED)),),
)  # fmt: skip
KEPT = KeptApproval(
    principal="mary", key="SHA256:/eThnsrCTuJqKwxq534xty9A/B4BFE5TdqlaUAPvk6Y", kind="passkey",
    time="2026-11-22T09:40:00Z", signature="", judged="counted",
)  # fmt: skip
PROVEN = ProvenApproval(s.RUN, 1795340467.0, KEPT, SigningKey("", b""))
UNPROVEN = ProvenApproval(s.RUN, 1795340467.0, KEPT, fault="it is cut short")
CUT_OFF = Account(
    run="20261122T081107Z-abcd",
    state="interrupted",
    invoked=None,
    ended=None,
    hosts=(HostAccount("web-1", "interrupted", ()),),
)


def audit_pages() -> list[Block]:
    """Every verdict of `audit verify`, then `audit show`."""
    unasked = unasked_view(["web-2", "web-3"])
    known = [*store_view(124, SEEN), *ends_view(124, HEAD, 120, [AGREED, UNREAD], intact=True)]
    stores = [one for seen in (BEHIND, SILENT, UNKNOWN) for one in store_view(124, seen)]
    return [
        *audit_view("intact", [], STATE, known),
        *audit_view(
            "intact-up-to-end",
            [TORN],
            STATE,
            [*ends_view(124, HEAD, None, [], intact=True), *unasked],
        ),
        *audit_view("intact-up-to-end", [UNENDED], STATE, unended=True),
        *audit_view("not-intact", [TORN, REMOVED], STATE, [*ends_view(124, HEAD, None, [AGREED], intact=False)]),
        *audit_view("intact-up-to-end", [], STATE, stores),
        *audit_view("not-intact", [CUT], STATE),
        *audit_view("nothing", [], STATE),
        *approvals_view([told_approval(one, None, s.LATER) for one in (PROVEN, UNPROVEN)]),
        *doubt_view([REMOVED] * 3),
        *accounts_view([ACCOUNT, CUT_OFF], s.LATER),
        *accounts_view([]),
    ]


def report_with_who() -> list[Block]:
    """A report with the block of who asked for it."""
    return report_view(s.report(), s.RUN, who_view(ACCOUNT, s.HOST))

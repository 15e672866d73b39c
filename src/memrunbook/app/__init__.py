"""The use cases: plain functions with frozen arguments that return values and print nothing.

Each is loaded when it is first asked for, so that listing runbooks loads no SSH library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memrunbook.app.accounting import AccountArguments, AccountsResult, account, accounts, records
    from memrunbook.app.actor import this_actor
    from memrunbook.app.alerting import AlertArguments, AlertResult, answer_alerts
    from memrunbook.app.applying import ApplyArguments, apply
    from memrunbook.app.approving import ApproveArguments, ApproveResult, approve
    from memrunbook.app.auditing import AuditArguments, AuditResult, audit
    from memrunbook.app.braking import off_words, switched_off
    from memrunbook.app.choosing import InventoryArguments, InventoryCheck, check_inventory, choose, inventory
    from memrunbook.app.connectors import Connectors
    from memrunbook.app.declining import decline_plan
    from memrunbook.app.diagnosing import DiagnoseArguments, DiagnoseResult, diagnose, diagnose_each
    from memrunbook.app.doctoring import DoctorArguments, DoctorResult, doctor
    from memrunbook.app.explaining import explain_log, explain_text
    from memrunbook.app.exposing import expose
    from memrunbook.app.gates import consent
    from memrunbook.app.helping import RestartsArguments, restarts
    from memrunbook.app.importing import ImportArguments, Imported, import_prometheus, import_sar
    from memrunbook.app.looking_back import LookBackArguments, look_back
    from memrunbook.app.measuring import FactsArguments, facts, facts_each
    from memrunbook.app.notice import Notice
    from memrunbook.app.notifying import send_waiting, tell, try_out
    from memrunbook.app.pending_plans import PendingArguments, pending
    from memrunbook.app.planning import PlanArguments, PlanResult, plan, plan_each
    from memrunbook.app.recording import RecordArguments, RecordResult, record
    from memrunbook.app.reporting import RunsResult, list_runs, report
    from memrunbook.app.resuming import ResumeArguments, ordered, resumable, resume
    from memrunbook.app.run_arguments import RunArguments, RunResult
    from memrunbook.app.running import run
    from memrunbook.app.scheduling import (
        ScheduleArguments,
        check_scheduler,
        list_firings,
        list_schedules,
        pause_schedule,
        preview_schedules,
        resume_schedule,
    )
    from memrunbook.app.scoring import ScoreArguments, ScoreResult, score
    from memrunbook.app.stored import Stored
    from memrunbook.app.switching import switch_off, switch_on
    from memrunbook.app.undoing import UndoArguments, UndoPlans, undo, undo_plan
    from memrunbook.app.validating import ValidateResult, new_runbook, validate

# What is public, and the file that holds it.
_HOMES = {
    "alerting": ("AlertArguments", "AlertResult", "answer_alerts"),
    "approving": ("ApproveArguments", "ApproveResult", "approve"),
    "applying": ("ApplyArguments", "apply"),
    "accounting": ("AccountArguments", "AccountsResult", "account", "accounts", "records"),
    "actor": ("this_actor",),
    "auditing": ("AuditArguments", "AuditResult", "audit"),
    "braking": ("off_words", "switched_off"),
    "connectors": ("Connectors",),
    "declining": ("decline_plan",),
    "diagnosing": ("DiagnoseArguments", "DiagnoseResult", "diagnose", "diagnose_each"),
    "doctoring": ("DoctorArguments", "DoctorResult", "doctor"),
    "explaining": ("explain_log", "explain_text"),
    "exposing": ("expose",),
    "gates": ("consent",),
    "choosing": ("InventoryArguments", "InventoryCheck", "check_inventory", "choose", "inventory"),
    "importing": ("ImportArguments", "Imported", "import_prometheus", "import_sar"),
    "looking_back": ("LookBackArguments", "look_back"),
    "measuring": ("FactsArguments", "facts", "facts_each"),
    "notice": ("Notice",),
    "pending_plans": ("PendingArguments", "pending"),
    "scheduling": (
        "ScheduleArguments",
        "check_scheduler",
        "list_firings",
        "list_schedules",
        "pause_schedule",
        "preview_schedules",
        "resume_schedule",
    ),
    "notifying": ("send_waiting", "tell", "try_out"),
    "planning": ("PlanArguments", "PlanResult", "plan", "plan_each"),
    "recording": ("RecordArguments", "RecordResult", "record"),
    "reporting": ("RunsResult", "list_runs", "report"),
    "helping": ("RestartsArguments", "restarts"),
    "resuming": ("ResumeArguments", "ordered", "resumable", "resume"),
    "run_arguments": ("RunArguments", "RunResult"),
    "running": ("run",),
    "scoring": ("ScoreArguments", "ScoreResult", "score"),
    "stored": ("Stored",),
    "switching": ("switch_off", "switch_on"),
    "undoing": ("UndoArguments", "UndoPlans", "undo", "undo_plan"),
    "validating": ("ValidateResult", "new_runbook", "validate"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AccountArguments",
    "AccountsResult",
    "AlertArguments",
    "AlertResult",
    "ApplyArguments",
    "ApproveArguments",
    "ApproveResult",
    "AuditArguments",
    "AuditResult",
    "Connectors",
    "DiagnoseArguments",
    "DiagnoseResult",
    "DoctorArguments",
    "DoctorResult",
    "FactsArguments",
    "ImportArguments",
    "Imported",
    "InventoryArguments",
    "InventoryCheck",
    "LookBackArguments",
    "Notice",
    "PendingArguments",
    "PlanArguments",
    "PlanResult",
    "RecordArguments",
    "RecordResult",
    "RestartsArguments",
    "ResumeArguments",
    "RunArguments",
    "RunResult",
    "RunsResult",
    "ScheduleArguments",
    "ScoreArguments",
    "ScoreResult",
    "Stored",
    "UndoArguments",
    "UndoPlans",
    "ValidateResult",
    "account",
    "accounts",
    "answer_alerts",
    "apply",
    "approve",
    "audit",
    "check_inventory",
    "check_scheduler",
    "choose",
    "consent",
    "decline_plan",
    "diagnose",
    "diagnose_each",
    "doctor",
    "explain_log",
    "explain_text",
    "expose",
    "facts",
    "facts_each",
    "import_prometheus",
    "import_sar",
    "inventory",
    "list_firings",
    "list_runs",
    "list_schedules",
    "look_back",
    "new_runbook",
    "off_words",
    "ordered",
    "pause_schedule",
    "pending",
    "plan",
    "plan_each",
    "preview_schedules",
    "record",
    "records",
    "report",
    "restarts",
    "resumable",
    "resume",
    "resume_schedule",
    "run",
    "score",
    "send_waiting",
    "switch_off",
    "switch_on",
    "switched_off",
    "tell",
    "this_actor",
    "try_out",
    "undo",
    "undo_plan",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)

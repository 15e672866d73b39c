"""The addresses of what people and Alertmanager may do: plans that wait, schedules, alerts."""

from __future__ import annotations

from starlette.routing import Route

from memrunbook.web.alerts import AlertDesk
from memrunbook.web.applying import ApplyDesk
from memrunbook.web.plan_desk import PlanDesk
from memrunbook.web.processes import OwnCommands
from memrunbook.web.schedule_desk import ScheduleDesk
from memrunbook.web.served import ServedState
from memrunbook.web.signing import SignInDesk
from memrunbook.web.work import Work


def acting_routes(served: ServedState, desk: SignInDesk, work: Work, token: str) -> list[Route]:
    """All of them; `token` is that of who posts alerts."""
    plans, schedules = PlanDesk(served, desk, work), ScheduleDesk(served, desk, work)
    processes = OwnCommands(served.program, served.state)
    applies = ApplyDesk(plans, processes)
    return [
        Route("/pending/{part}", plans.page, methods=["GET"]),
        Route("/pending/{part}/challenge", plans.challenge, methods=["GET"]),
        Route("/pending/{part}/approve", plans.approve, methods=["POST"]),
        Route("/pending/{part}/decline", plans.decline, methods=["POST"]),
        Route("/pending/{part}/apply", applies.apply, methods=["POST"]),
        Route("/pending/{part}/begun", applies.begun, methods=["GET"]),
        Route("/schedules", schedules.page, methods=["GET"]),
        Route("/schedules/{part}/pause", schedules.pause, methods=["POST"]),
        Route("/schedules/{part}/resume", schedules.resume, methods=["POST"]),
        Route("/alerts", AlertDesk(processes, token, served.where, served.say).post, methods=["POST"]),
    ]

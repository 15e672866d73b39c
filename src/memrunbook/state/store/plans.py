"""The plans that wait for a person as several control nodes share them, their approvals, and who carried them out."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from msgspec import Struct, structs

from memrunbook.core.errors import Refused
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, insert_once, reading, writing
from memrunbook.state.store.node_tables import PLAN_APPROVALS, PLANS, PLANS_APPLIED

MOST = 2_000
"""Plans, and claims of them, that are looked at: the newest."""
LARGEST = 16 << 20
"""Bytes of a plan that is shared."""
MOST_LINES, LONGEST_LINE = 10_000, 8 << 10
"""Approvals that are looked at, and characters of one, or of what somebody declined with; an approval has about 600."""


class SharedPlan(Struct, frozen=True, kw_only=True):
    """A plan that waits, without its bytes: which node kept it (`at`), and until when it can be applied.

    Times are in seconds since 1970. `kept_as` is the schedule, or what answers alerts, whose newest plan for this host
    and `machine` (its machine id) it is; empty for that of a run. `size` is how many bytes its file has, `declined` who
    said no (JSON). A `withdrawn` one was replaced.
    """

    digest: str
    kept_as: str
    host: str
    machine: str
    runbook: str
    node: str
    at: float
    until: float
    size: int = 0
    declined: str = ""
    withdrawn: bool = False


class PlanClaim(Struct, frozen=True, kw_only=True):
    """Which run carries a plan out on a host, on whose behalf and where (USER@NODE), and since when.

    `until` is when the plan expires. Times are in seconds since 1970.
    """

    digest: str
    host: str
    run: str
    actor: str
    at: float
    until: float


def publish(store: Store, plan: SharedPlan, content: bytes) -> None:
    """Shares a plan's file, unless it is shared already; what else was kept so for its host and machine is withdrawn.

    Not what somebody approved or declined, as on one control node. Refused for bytes that are not of this digest.
    """
    _refuse_other(plan.digest, content)
    row = {name: value for name, value in structs.asdict(plan).items() if name not in ("size", "declined")}
    known = PLANS.c
    approved = sa.exists().where(PLAN_APPROVALS.c.digest == known.digest)
    replaced = (
        known.kept_as == plan.kept_as,
        known.host == plan.host,
        known.digest != plan.digest,
        known.at <= plan.at,
        known.declined.is_(None),
        sa.or_(known.machine == plan.machine, known.machine == "", sa.literal(not plan.machine)),
        ~approved,
    )
    with explained(store.name), writing(store.engine) as connection:
        if insert_once(connection, PLANS, {**row, "content": content}) and plan.kept_as:
            connection.execute(sa.update(PLANS).where(*replaced).values(withdrawn=True, content=b""))


def shared(store: Store, since: float) -> list[SharedPlan]:
    """The plans that could be applied after a moment, the newest first, at most `MOST`."""
    known = PLANS.c
    texts = ("kept_as", "host", "machine", "runbook", "declined")
    short = [sa.func.coalesce(sa.func.substr(known[name], 1, LONGEST_LINE), "").label(name) for name in texts]
    own = [known[name] for name in SharedPlan.__struct_fields__ if name not in ("size", *texts)]
    size = sa.func.length(known.content).label("size")
    asked = sa.select(*own, *short, size).where(known.until >= since).order_by(known.at.desc()).limit(MOST)
    with explained(store.name), reading(store.engine) as connection:
        return [SharedPlan(**row) for row in connection.execute(asked).mappings()]


def content_of(store: Store, digest: str) -> bytes:
    """The bytes of a plan's file; Refused where what is there is not of this digest."""
    asked = sa.select(PLANS.c.content).where(PLANS.c.digest == digest, sa.func.length(PLANS.c.content) <= LARGEST)
    with explained(store.name), reading(store.engine) as connection:
        content = bytes(connection.scalar(asked) or b"")
    _refuse_other(digest, content)
    return content


def approvals(store: Store, since: float) -> dict[str, dict[str, bytes]]:
    """Of the plans that could be applied after a moment the lines of their approvals, by the SHA-256 of each."""
    line = PLAN_APPROVALS.c
    asked = (
        sa.select(line.digest, line.line_digest, line.line)
        .join(PLANS, PLANS.c.digest == line.digest)
        .where(PLANS.c.until >= since, sa.func.length(line.line) <= LONGEST_LINE)
        .order_by(line.at)
        .limit(MOST_LINES)
    )
    found: dict[str, dict[str, bytes]] = {}
    with explained(store.name), reading(store.engine) as connection:
        for digest, name, text in connection.execute(asked):
            found.setdefault(digest, {})[name] = text.encode()
    return found


def approve(store: Store, digest: str, line: bytes, at: float) -> None:
    """Shares an approval of a plan as its line stands in the file, once."""
    row = {"digest": digest, "line_digest": sha256(line), "line": line.decode(), "at": at}
    with explained(store.name), writing(store.engine) as connection:
        insert_once(connection, PLAN_APPROVALS, row)


def decline(store: Store, digest: str, told: bytes) -> None:
    """Shares that somebody said no to a plan; the first one is kept."""
    theirs = (PLANS.c.digest == digest, PLANS.c.declined.is_(None))
    with explained(store.name), writing(store.engine) as connection:
        connection.execute(sa.update(PLANS).where(*theirs).values(declined=told.decode()))


def claim(store: Store, mine: PlanClaim) -> PlanClaim | None:
    """Has a plan for a run on a host, for once: None where this run has it, else who was first."""
    with explained(store.name), writing(store.engine) as connection:
        if insert_once(connection, PLANS_APPLIED, structs.asdict(mine)):
            return None
    first = claimed(store, mine.digest, mine.host)
    return None if first is None or first.run == mine.run else first


def claimed(store: Store, digest: str, host: str) -> PlanClaim | None:
    """Which run carries a plan out on a host, or did; None where none does."""
    asked = sa.select(PLANS_APPLIED).where(PLANS_APPLIED.c.digest == digest, PLANS_APPLIED.c.host == host)
    with explained(store.name), reading(store.engine) as connection:
        row = connection.execute(asked).mappings().first()
    return None if row is None else PlanClaim(**row)


def claims(store: Store, since: float) -> list[PlanClaim]:
    """The claims of plans that could be applied after a moment, the newest first, at most `MOST`."""
    known = PLANS_APPLIED.c
    asked = sa.select(PLANS_APPLIED).where(known.until >= since).order_by(known.at.desc()).limit(MOST)
    with explained(store.name), reading(store.engine) as connection:
        return [PlanClaim(**row) for row in connection.execute(asked).mappings()]


def forget(store: Store, before: float) -> None:
    """Removes what could be applied until then, with its approvals and claims."""
    with explained(store.name), writing(store.engine) as connection:
        connection.execute(sa.delete(PLANS).where(PLANS.c.until < before))
        left = PLAN_APPROVALS.c.digest.not_in(sa.select(PLANS.c.digest))
        connection.execute(sa.delete(PLAN_APPROVALS).where(left))
        connection.execute(sa.delete(PLANS_APPLIED).where(PLANS_APPLIED.c.until < before))


def sha256(content: bytes) -> str:
    """In hex."""
    return hashlib.sha256(content).hexdigest()


def _refuse_other(digest: str, content: bytes) -> None:
    found = sha256(content)
    if found != digest:
        raise Refused(f"the plan {digest[:8]} of the store is not what it was: its content is sha256:{found[:8]}")

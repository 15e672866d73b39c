"""The tables of several control nodes: what one has others do, who they are, what each has written and what waits.

Times are seconds since 1970 (UTC); a change of them is a migration.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, LargeBinary, String, Table, Text
from sqlalchemy import false as sa_false

from memrunbook.state.store.tables import METADATA

ORDERS = Table(
    "orders",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("node", String(255), nullable=False),
    Column("actor", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("beat", Float(53), nullable=False),
    Column("attended", Boolean, nullable=False),
    Column("ended", Float(53)),
    Index("orders_by_time", "at"),
)
"""What a control node has others do, by the run's id; `beat` is when whoever waits for it was last heard of."""
PARTS = Table(
    "parts",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("order_id", String(64), nullable=False),
    Column("place", Integer, nullable=False),
    Column("host", String(255), nullable=False),
    Column("site", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("node", String(255), nullable=False, server_default=""),
    Column("worker", String(255), nullable=False, server_default=""),
    Column("queued", Float(53), nullable=False),
    Column("began", Float(53)),
    Column("ended", Float(53)),
    Column("outcome", String(32), nullable=False, server_default=""),
    Column("stop", Boolean, nullable=False, server_default=sa_false()),
    Column("question", Text),
    Column("answer", Text),
    Column("told", Integer, nullable=False, server_default="0"),
    Column("result", LargeBinary),
    Index("parts_of_order", "order_id", "place"),
    Index("parts_of_worker", "worker", "state"),
)
"""What of an order is for one host, or for some that are only read: its id is that of the run that carries it out.

`attempt` counts who has begun it: what an earlier one still says does not count. `told` is how much of it is told.
"""
TOLD = Table(
    "told",
    METADATA,
    Column("part", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""The records of a part's journal as they were written, some at a time, in their order (zlib of lines of JSON)."""
WORKERS = Table(
    "workers",
    METADATA,
    Column("id", String(255), primary_key=True),
    Column("node", String(255), nullable=False),
    Column("sites", Text, nullable=False),
    Column("forks", Integer, nullable=False),
    Column("beat", Float(53), nullable=False),
    Column("stopped", Boolean, nullable=False, server_default=sa_false()),
)
"""Who takes jobs, for which sites (a line each), and when each was last heard of."""
LEDGERS = Table(
    "ledgers",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("node", String(255), nullable=False),
    Column("head", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    Column("at", Float(53), nullable=False),
)
"""Where the ledger of each state directory stood when it was last written, by the public key that seals it."""
JOURNALS = Table(
    "journals",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("run", String(64), primary_key=True),
    Column("file", String(255), primary_key=True),
    Column("event", String(16), nullable=False),
    Column("head", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    Column("at", Float(53), nullable=False),
    Index("journals_of_run", "run"),
)
"""Where each journal stood when it was last sealed."""
RUN_INDEX = Table(
    "run_index",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("run", String(64), primary_key=True),
    Column("node", String(255), nullable=False),
    Column("runbook", String(255), nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("hosts", Text, nullable=False),
    Column("part_of", String(64), nullable=False, server_default=""),
    Column("began", Float(53), nullable=False),
    Column("ended", Float(53)),
    Column("outcomes", Text, nullable=False, server_default=""),
    Index("run_index_by_time", "began"),
)
"""The runs of every state directory: `hosts` a line each, `outcomes` (host and word, a line each) once it has ended."""
PLANS = Table(
    "plans",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("kept_as", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("runbook", Text, nullable=False),
    Column("node", String(255), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("declined", Text),
    Column("withdrawn", Boolean, nullable=False, server_default=sa_false()),
    Index("plans_by_time", "until"),
)
"""The files of plans that wait for a person, byte for byte, by their SHA-256; `declined` is who said no (JSON).

`kept_as` is the schedule, or what answers alerts, whose newest plan for this host and machine it is; one that a newer
one replaced is `withdrawn`, and its content is gone.
"""
PLAN_APPROVALS = Table(
    "plan_approvals",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("line_digest", String(64), primary_key=True),
    Column("line", Text, nullable=False),
    Column("at", Float(53), nullable=False),
)
"""The signed approvals of each plan as they stand in its file, by the SHA-256 of the line."""
PLANS_APPLIED = Table(
    "plans_applied",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("host", Text, primary_key=True),
    Column("run", String(64), nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
)
"""Which run began to carry a plan out on a host: an approval is for once, over all control nodes."""

"""The tables of the store. Times are seconds since 1970 (UTC); a change of them is a migration."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text
from sqlalchemy import false as sa_false

METADATA = MetaData()
CHANGES = Table(
    "changes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("run", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("machine", String(64), nullable=False, server_default=""),
    Column("runbook", String(255), nullable=False),
    Column("step", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", Text, nullable=False),
    Column("risk", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("begun", Float(53), nullable=False),
    Column("ended", Float(53)),
    Column("state", String(32), nullable=False, server_default=""),
    Column("peers", Text, nullable=False, server_default=""),
    Index("changes_of_host", "host", "begun"),
    Index("changes_of_machine", "machine", "begun"),
    Index("changes_of_action", "action", "begun"),
)
"""Each change that a run began, and how it ended; those that never ended have no end."""
RUNS = Table(
    "runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("run", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("machine", String(64), nullable=False, server_default=""),
    Column("runbook", String(255), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("changed", Boolean, nullable=False),
    Column("at", Float(53), nullable=False),
    Index("runs_of_host", "host", "at"),
    Index("runs_of_machine", "machine", "at"),
)
"""How runs ended, by host."""
SWITCHES = Table(
    "switches",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("off", Boolean, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("until", Float(53)),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Each turn of the kill switch; the newest one counts."""
NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("receiver", String(64), nullable=False),
    Column("occasion", String(32), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("queued", Float(53), nullable=False),
    Column("seen", Integer, nullable=False),
    Column("seen_at", Float(53), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Float(53), nullable=False),
    Column("claimed", Float(53), nullable=False, server_default="0"),
    Column("ended", Float(53)),
    Column("problem", Text, nullable=False, server_default=""),
    Index("notifications_of_subject", "receiver", "subject", "queued"),
    Index("notifications_waiting", "state", "due"),
)
"""What each receiver is told: `subject` is the SHA-256 of its key, `claimed` until when somebody is at sending it."""
ALERTS = Table(
    "alerts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("seen", Integer, nullable=False),
    Index("alerts_of_fingerprint", "fingerprint", "at"),
)
"""Which alerts were answered by a look at their host, and how often they were told since."""
FIRINGS = Table(
    "firings",
    METADATA,
    Column("id", String(320), primary_key=True),
    Column("schedule", String(255), nullable=False),
    Column("nominal", Float(53), nullable=False),
    Column("state", String(32), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("beat", Float(53), nullable=False),
    Column("ended", Float(53)),
    Column("owner", Text, nullable=False, server_default=""),
    Column("run", String(64), nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Column("count", Integer, nullable=False, server_default="1"),
    Index("firings_of_schedule", "schedule", "nominal"),
    Index("firings_by_state", "state", "beat"),
)
"""Each firing of a schedule, by its id: whoever writes it first has it. `beat` is when its owner was last heard of."""
SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("name", String(255), primary_key=True),
    Column("decided", Float(53), nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("paused", Float(53)),
    Column("why", Text, nullable=False, server_default=""),
)
"""Until when the firings of each schedule are decided, how many failed in a row, and since when it is paused."""
SCHEDULERS = Table(
    "schedulers",
    METADATA,
    Column("owner", String(255), primary_key=True),
    Column("at", Float(53), nullable=False),
    Column("stopped", Boolean, nullable=False, server_default=sa_false()),
    Column("told", Boolean, nullable=False, server_default=sa_false()),
)
"""When each scheduler was last heard of; `told` that somebody was told of its silence."""
SHADOWS = Table(
    "shadows",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("firing", String(320), nullable=False),
    Column("schedule", String(255), nullable=False),
    Column("host", String(255), nullable=False),
    Column("machine", String(64), nullable=False, server_default=""),
    Column("runbook", String(255), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("step", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("digest", String(128), nullable=False),
    Column("risk", Integer),
    Column("asks", Boolean, nullable=False, server_default=sa_false()),
    Column("provisional", Boolean, nullable=False, server_default=sa_false()),
    Index("shadows_of_schedule", "schedule", "at"),
)
"""What schedules that only plan would have done: a row for each change of each plan."""
SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("schedule", String(255), nullable=False),
    Column("host", String(255), nullable=False),
    Column("runbook", String(255), nullable=False),
    Column("found", String(32), nullable=False),
    Column("firing", String(320), nullable=False),
    Column("since", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
    Column("machine", String(64), nullable=False, server_default=""),
    Column("boot", String(64), nullable=False, server_default=""),
    Column("kills", BigInteger),
    Column("why", Text, nullable=False, server_default=""),
    Column("count", Integer, nullable=False, server_default="1"),
    Column("widest", Float(53), nullable=False, server_default="0"),
    Index("sightings_of_schedule", "schedule", "host"),
)
"""What firings that only plan found: a row for as long as a host stays as it is. Its number is the order in time."""

"""What several control nodes share: orders and their parts, workers, the index of journals, plans that wait."""

import sqlalchemy as sa
from alembic import op

revision = "nodes"
down_revision = "sightings"


def upgrade() -> None:
    _orders()
    _parts()
    _journals()
    _plans()


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("node", sa.String(255), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("beat", sa.Float(53), nullable=False),
        sa.Column("attended", sa.Boolean, nullable=False),
        sa.Column("ended", sa.Float(53)),
    )
    op.create_index("orders_by_time", "orders", ["at"])
    op.create_table(
        "workers",
        sa.Column("id", sa.String(255), primary_key=True),
        sa.Column("node", sa.String(255), nullable=False),
        sa.Column("sites", sa.Text, nullable=False),
        sa.Column("forks", sa.Integer, nullable=False),
        sa.Column("beat", sa.Float(53), nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False, server_default=sa.false()),
    )


def _parts() -> None:
    op.create_table(
        "parts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("node", sa.String(255), nullable=False, server_default=""),
        sa.Column("worker", sa.String(255), nullable=False, server_default=""),
        sa.Column("queued", sa.Float(53), nullable=False),
        sa.Column("began", sa.Float(53)),
        sa.Column("ended", sa.Float(53)),
        sa.Column("outcome", sa.String(32), nullable=False, server_default=""),
        sa.Column("stop", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("question", sa.Text),
        sa.Column("answer", sa.Text),
        sa.Column("told", sa.Integer, nullable=False, server_default="0"),
        sa.Column("result", sa.LargeBinary),
    )
    op.create_index("parts_of_order", "parts", ["order_id", "place"])
    op.create_index("parts_of_worker", "parts", ["worker", "state"])
    op.create_table(
        "told",
        sa.Column("part", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def _journals() -> None:
    op.create_table(
        "ledgers",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("node", sa.String(255), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "journals",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("file", sa.String(255), primary_key=True),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_index("journals_of_run", "journals", ["run"])
    op.create_table(
        "run_index",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("node", sa.String(255), nullable=False),
        sa.Column("runbook", sa.String(255), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("part_of", sa.String(64), nullable=False, server_default=""),
        sa.Column("began", sa.Float(53), nullable=False),
        sa.Column("ended", sa.Float(53)),
        sa.Column("outcomes", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("run_index_by_time", "run_index", ["began"])


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("kept_as", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("runbook", sa.Text, nullable=False),
        sa.Column("node", sa.String(255), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("declined", sa.Text),
        sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index("plans_by_time", "plans", ["until"])
    op.create_table(
        "plan_approvals",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("line_digest", sa.String(64), primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "plans_applied",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
    )


def downgrade() -> None:
    for name in _TABLES:
        op.drop_table(name)


_TABLES = (
    "plans_applied",
    "plan_approvals",
    "plans",
    "run_index",
    "journals",
    "ledgers",
    "workers",
    "told",
    "parts",
    "orders",
)

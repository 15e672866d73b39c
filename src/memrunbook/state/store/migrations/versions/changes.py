"""The first tables: what was changed, how runs ended, the kill switch."""

import sqlalchemy as sa
from alembic import op

revision = "changes"
down_revision = None
INDEXES = [("changes", name, "begun") for name in ("host", "machine", "action")]
INDEXES += [("runs", name, "at") for name in ("host", "machine")]


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("machine", sa.String(64), nullable=False, server_default=""),
        sa.Column("runbook", sa.String(255), nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("risk", sa.Integer, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("begun", sa.Float(53), nullable=False),
        sa.Column("ended", sa.Float(53)),
        sa.Column("state", sa.String(32), nullable=False, server_default=""),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("machine", sa.String(64), nullable=False, server_default=""),
        sa.Column("runbook", sa.String(255), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("changed", sa.Boolean, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    for table, column, time in INDEXES:
        op.create_index(f"{table}_of_{column}", table, [column, time])
    op.create_table(
        "switches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("off", sa.Boolean, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("until", sa.Float(53)),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def downgrade() -> None:
    for table in ("switches", "runs", "changes"):
        op.drop_table(table)

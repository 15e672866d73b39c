"""What schedules did: so that each firing is done once, whoever schedules it, and what they would have done is kept."""

import sqlalchemy as sa
from alembic import op

revision = "firings"
down_revision = "notifications"


def upgrade() -> None:
    op.create_table(
        "firings",
        sa.Column("id", sa.String(320), primary_key=True),
        sa.Column("schedule", sa.String(255), nullable=False),
        sa.Column("nominal", sa.Float(53), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("beat", sa.Float(53), nullable=False),
        sa.Column("ended", sa.Float(53)),
        sa.Column("owner", sa.Text, nullable=False, server_default=""),
        sa.Column("run", sa.String(64), nullable=False, server_default=""),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("count", sa.Integer, nullable=False, server_default="1"),
    )
    op.create_index("firings_of_schedule", "firings", ["schedule", "nominal"])
    op.create_index("firings_by_state", "firings", ["state", "beat"])
    _schedules()


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("decided", sa.Float(53), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("paused", sa.Float(53)),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "schedulers",
        sa.Column("owner", sa.String(255), primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("told", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "shadows",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("firing", sa.String(320), nullable=False),
        sa.Column("schedule", sa.String(255), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("machine", sa.String(64), nullable=False, server_default=""),
        sa.Column("runbook", sa.String(255), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("digest", sa.String(128), nullable=False),
    )
    op.create_index("shadows_of_schedule", "shadows", ["schedule", "at"])


def downgrade() -> None:
    for table in ("shadows", "schedulers", "schedules", "firings"):
        op.drop_table(table)

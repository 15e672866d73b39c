"""What receivers are told waits here until they have it; alerts that come again are counted."""

import sqlalchemy as sa
from alembic import op

revision = "notifications"
down_revision = "peers"


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("receiver", sa.String(64), nullable=False),
        sa.Column("occasion", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("queued", sa.Float(53), nullable=False),
        sa.Column("seen", sa.Integer, nullable=False),
        sa.Column("seen_at", sa.Float(53), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.Float(53), nullable=False),
        sa.Column("claimed", sa.Float(53), nullable=False, server_default="0"),
        sa.Column("ended", sa.Float(53)),
        sa.Column("problem", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("notifications_of_subject", "notifications", ["receiver", "subject", "queued"])
    op.create_index("notifications_waiting", "notifications", ["state", "due"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("seen", sa.Integer, nullable=False),
    )
    op.create_index("alerts_of_fingerprint", "alerts", ["fingerprint", "at"])


def downgrade() -> None:
    for table in ("alerts", "notifications"):
        op.drop_table(table)

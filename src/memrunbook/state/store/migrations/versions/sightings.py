"""What firings that only plan found on hosts, and the risk of what they would have done: for their score."""

import sqlalchemy as sa
from alembic import op

revision = "sightings"
down_revision = "firings"


def upgrade() -> None:
    op.add_column("shadows", sa.Column("risk", sa.Integer))
    for name in ("asks", "provisional"):
        op.add_column("shadows", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "sightings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("schedule", sa.String(255), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("runbook", sa.String(255), nullable=False),
        sa.Column("found", sa.String(32), nullable=False),
        sa.Column("firing", sa.String(320), nullable=False),
        sa.Column("since", sa.Float(53), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
        sa.Column("machine", sa.String(64), nullable=False, server_default=""),
        sa.Column("boot", sa.String(64), nullable=False, server_default=""),
        sa.Column("kills", sa.BigInteger),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("count", sa.Integer, nullable=False, server_default="1"),
        sa.Column("widest", sa.Float(53), nullable=False, server_default="0"),
    )
    op.create_index("sightings_of_schedule", "sightings", ["schedule", "host"])


def downgrade() -> None:
    op.drop_table("sightings")
    for name in ("provisional", "asks", "risk"):
        op.drop_column("shadows", name)

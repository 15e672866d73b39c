"""Whom a change must not be made together with: so a peer waits, too, whose own inventory does not name the host."""

import sqlalchemy as sa
from alembic import op

revision = "peers"
down_revision = "changes"


def upgrade() -> None:
    op.add_column("changes", sa.Column("peers", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("changes", "peers")

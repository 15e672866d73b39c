"""Runs the migrations on the connection that was handed over; alembic loads this file by its path."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()

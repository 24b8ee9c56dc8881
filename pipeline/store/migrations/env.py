"""How Alembic runs: on the connection that `migrations.upgrade` gives, in one transaction with the version row."""

from __future__ import annotations

from alembic import context

from pipeline.store.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    # Without this Alembic takes SQLite for a database that cannot roll DDL back, and commits half-way.
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()

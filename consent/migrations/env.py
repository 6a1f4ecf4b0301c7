"""What Alembic runs: the migrations on the connection that `consent.migrations.upgrade` opened."""

from __future__ import annotations

from alembic import context

from consent.store import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

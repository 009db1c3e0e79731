"""Run by Alembic with the connection that `medsafe.store.database.upgrade` holds."""

from alembic import context

from medsafe.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()

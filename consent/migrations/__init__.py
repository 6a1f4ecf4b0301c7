"""The ledger's schema as Alembic revisions; never one that changes a byte that was hashed."""

"""A keyed check value beside rows that no hash covers; `consent.migrate` fills it, it has the key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = (
    "entry",
    "subject",
    "erased_opening",
    "erasure",
    "use_run",
    "use_chunk",
    "use_values",
    "use_slot",
)


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("mac", sa.LargeBinary(16)))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "mac")

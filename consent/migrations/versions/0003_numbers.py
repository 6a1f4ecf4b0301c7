"""People's numbers go up to 2^32 - 1: BIGINT on PostgreSQL. SQLite's INTEGER holds 64 bits already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WITH_NUMBER = (
    "payload",
    "detail",
    "subject",
    "subject_key",
    "erasure",
    "consent_event",
    "limitation",
    "use_slot",
)


def _retype(to: sa.types.TypeEngine[int]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _WITH_NUMBER:
            op.alter_column(table, "number", type_=to)


def upgrade() -> None:
    _retype(sa.BigInteger())


def downgrade() -> None:
    _retype(sa.Integer())

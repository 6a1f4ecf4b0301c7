"""Pseudonyms encrypted under a key made of the key-encryption key that each row names; `consent.migrate` does that, it has the keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subject", sa.Column("kek", sa.LargeBinary(8)))
    op.create_index("ix_subject_kek", "subject", ["kek"])


def downgrade() -> None:
    op.drop_index("ix_subject_kek", "subject")
    op.drop_column("subject", "kek")

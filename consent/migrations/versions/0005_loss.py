"""What a restore lost: stretches of the log filled again from its published copy, and the openings that are gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "refill",
        sa.Column("first", index, primary_key=True, autoincrement=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("numbers", sa.BigInteger, nullable=False),
        sa.Column("journal", sa.LargeBinary(16)),
        sa.Column("erased", sa.LargeBinary, nullable=False),
        sa.Column("mac", sa.LargeBinary(16)),
    )
    op.create_table(
        "lost_opening",
        sa.Column("idx", index, primary_key=True, autoincrement=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("mac", sa.LargeBinary(16)),
    )


def downgrade() -> None:
    op.drop_table("lost_opening")
    op.drop_table("refill")

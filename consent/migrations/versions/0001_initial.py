"""The first schema of the ledger; shipped ledgers have it, so it never changes: later needs are later revisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _index() -> sa.types.TypeEngine[int]:
    # SQLite makes only an INTEGER primary key the row's own id.
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "entry",
        sa.Column("idx", _index(), primary_key=True, autoincrement=False),
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("fingerprint", sa.LargeBinary(16)),
    )
    op.create_table(
        "tile",
        sa.Column("level", sa.SmallInteger(), primary_key=True),
        sa.Column("idx", sa.BigInteger(), primary_key=True),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "payload",
        sa.Column("idx", _index(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, index=True),
        sa.Column("class", sa.SmallInteger(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "detail",
        sa.Column("idx", sa.BigInteger(), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False, index=True),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "subject",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("pseudonym", sa.LargeBinary(16), unique=True),
        sa.Column("subject", sa.LargeBinary(16), unique=True),
        sa.Column("enrolled", sa.BigInteger(), nullable=False),
        sa.Column("erased", sa.BigInteger()),
    )
    op.create_table(
        "subject_key",
        sa.Column("class", sa.SmallInteger(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("wrapped", sa.LargeBinary(60), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erased_opening",
        sa.Column("idx", _index(), primary_key=True, autoincrement=False),
        sa.Column("erasure", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "erasure",
        sa.Column("idx", _index(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "institutional",
        sa.Column("idx", _index(), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False, index=True),
    )
    op.create_table(
        "purpose",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("texts", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "consent_event",
        sa.Column("idx", _index(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, index=True),
        sa.Column("purpose", sa.String(128), nullable=False),
        sa.Column("purpose_version", sa.Integer(), nullable=False),
        sa.Column("notice_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("processing", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger()),
    )
    op.create_index("ix_consent_event_state", "consent_event", ["purpose", "number", "idx"])
    op.create_table(
        "use_run",
        sa.Column("run", sa.LargeBinary(16), primary_key=True),
        sa.Column("idx", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("slots", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(60), nullable=False),
        sa.Column("values_until", sa.BigInteger()),
        sa.Column("explanation", sa.LargeBinary()),
    )
    op.create_table(
        "use_chunk",
        sa.Column("run", sa.LargeBinary(16), sa.ForeignKey("use_run.run"), primary_key=True),
        sa.Column("chunk", sa.Integer(), primary_key=True),
        sa.Column("statuses", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("values_root", sa.LargeBinary(32)),
    )
    op.create_table(
        "use_values",
        sa.Column("run", sa.LargeBinary(16), sa.ForeignKey("use_run.run"), primary_key=True),
        sa.Column("chunk", sa.Integer(), primary_key=True),
        sa.Column("lengths", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "use_slot",
        sa.Column("run", sa.LargeBinary(16), sa.ForeignKey("use_run.run"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("slot", sa.LargeBinary(32), nullable=False),
        sa.Column("values_slot", sa.LargeBinary(32)),
    )


def downgrade() -> None:
    for table in (
        "use_slot", "use_values", "use_chunk", "use_run", "consent_event", "notice", "purpose", "institutional",
        "erasure", "erased_opening", "subject_key", "subject", "detail", "payload", "tile", "entry",
    ):  # fmt: skip
        op.drop_table(table)

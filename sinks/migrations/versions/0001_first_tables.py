"""The first tables (until the first release, this revision is the metadata itself)."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from sinks.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    reporting = Path(__file__).parents[1] / "reporting.sql"
    op.get_bind().exec_driver_sql(reporting.read_text(encoding="utf-8"))


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP SCHEMA reporting CASCADE")
    op.get_bind().exec_driver_sql("DROP VIEW customer_documents")
    metadata.drop_all(op.get_bind())

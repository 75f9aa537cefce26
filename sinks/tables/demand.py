"""Demand: what each order and opportunity line asks of production."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, Date, Index, PrimaryKeyConstraint, Table, Text, text

from sinks.tables.columns import amount, metadata, record_key

product_records = Table(
    "product_records",
    metadata,
    Column("key", record_key(), primary_key=True),
    Column("name", Text),
    Column("same_as", ARRAY(record_key()), nullable=False),
    # Each key is looked up by itself; a list of entries still to be sorted in would be read whole
    # each time.
    Index(
        "product_records_by_same_as",
        "same_as",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    ),
)

stage_chances = Table(
    "stage_chances",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("chance", amount(), nullable=False),
)

demand_lines = Table(
    "demand_lines",
    metadata,
    Column("document", Text, nullable=False),
    Column("key", record_key(), nullable=False),
    Column("number", Text, nullable=False),
    Column("product_key", record_key()),
    Column("demand_on", Date),
    Column("quantity", amount()),
    Column("stage", Text),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("opportunity_key", record_key()),
    PrimaryKeyConstraint("document", "key", "number"),
    Index("demand_lines_by_product", "product_key", "demand_on"),
    Index(
        "demand_lines_by_opportunity",
        "opportunity_key",
        postgresql_where=text("opportunity_key IS NOT NULL"),
    ),
)

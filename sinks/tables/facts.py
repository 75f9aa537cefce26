"""The newest version of each document, in one table for each type."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, Table, text
from sqlalchemy.types import TypeEngine

from schemas.catalogue import TOPICS
from sinks.projection import COLUMNS, PROJECTED
from sinks.tables.columns import amount, instant, metadata, record_key

#: The types of documents that are facts, in the order of the catalogue.
FACT_DOCUMENTS = tuple(topic.document for topic in TOPICS.values() if topic.kind == "event")


def fact_table(document: str) -> Table:
    """The table that holds the newest version of each document of one type."""
    return metadata.tables[f"fact_{document}"]


def _projection(document: str) -> list[Column[Any] | Index]:
    """The columns beside the body, for the types of documents that have them."""
    if document not in PROJECTED:
        return []
    types: dict[str, TypeEngine[Any]] = {"text": record_key(), "date": Date(), "numeric": amount()}
    return [
        *(Column(name, types[kind]) for name, kind in COLUMNS),
        Index(
            f"fact_{document}_by_customer",
            "customer_key",
            postgresql_where=text("customer_key IS NOT NULL"),
        ),
    ]


for _document in FACT_DOCUMENTS:
    Table(
        f"fact_{_document}",
        metadata,
        Column("key", record_key(), primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("deleted", Boolean, nullable=False),
        Column("cancelled", Boolean, nullable=False),
        Column("occurred_at", instant(), nullable=False),
        Column("schema_id", Integer, nullable=False),
        Column("body", LargeBinary, nullable=False),
        *_projection(_document),
    )

Index(
    "fact_invoice_by_cancelled",
    fact_table("invoice").c.cancels,
    postgresql_where=text("cancels IS NOT NULL"),
)

"""Every table of the hub, as SQLAlchemy metadata: what stands in the database is said here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from schemas.catalogue import TOPICS
from sinks.projection import COLUMNS, PROJECTED

metadata = MetaData()

#: The types of documents that are facts, in the order of the catalogue.
FACT_DOCUMENTS = tuple(topic.document for topic in TOPICS.values() if topic.kind == "event")


def _key() -> Text:
    """Record keys compare by code point, whatever the locale of the database."""
    return Text(collation="C")


def _instant() -> DateTime:
    return DateTime(timezone=True)


def _amount() -> Numeric[Decimal]:
    return Numeric(38, 9)


def fact_table(document: str) -> Table:
    """The table that holds the newest version of each document of one type."""
    return metadata.tables[f"fact_{document}"]


# --- the ledger: positions, facts, changes on their way out, what was refused

stream_offsets = Table(
    "stream_offsets",
    metadata,
    Column("group_name", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("topic_id", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("clean", Boolean, nullable=False),
    Column("claimed_position", BigInteger, nullable=False),
    Column("deaths", Integer, nullable=False, server_default=text("0")),
    Column("marked_position", BigInteger),
    Column("marked_tries", Integer, nullable=False, server_default=text("0")),
    Column("updated_at", _instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("group_name", "topic", "partition"),
)


def _projection(document: str) -> list[Column[Any] | Index]:
    """The columns beside the body, for the types of documents that have them."""
    if document not in PROJECTED:
        return []
    types: dict[str, TypeEngine[Any]] = {"text": _key(), "date": Date(), "numeric": _amount()}
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
        Column("key", _key(), primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("deleted", Boolean, nullable=False),
        Column("cancelled", Boolean, nullable=False),
        Column("occurred_at", _instant(), nullable=False),
        Column("schema_id", Integer, nullable=False),
        Column("body", LargeBinary, nullable=False),
        *_projection(_document),
    )

Index(
    "fact_invoice_by_cancelled",
    fact_table("invoice").c.cancels,
    postgresql_where=text("cancels IS NOT NULL"),
)

source_freshness = Table(
    "source_freshness",
    metadata,
    Column("source", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("newest", _instant(), nullable=False),
    Column("arrived_at", _instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("source", "topic", "partition"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("key", _key(), nullable=False),
)

published_views = Table(
    "published_views",
    metadata,
    Column("topic", Text, nullable=False),
    Column("key", _key(), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("topic", "key"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", _instant(), nullable=False, server_default=text("now()")),
    Column("stage", Text, nullable=False),
    Column("document", Text),
    Column("topic", Text),
    Column("partition", Integer),
    Column("position", BigInteger),
    Column("place", Text),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSONB),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("error", Text),
    Column("mapping", Text),
    Column("mapping_version", Text),
    Column("fingerprint", LargeBinary, nullable=False, unique=True),
    Column("replayed_at", _instant()),
    # By a person, without a replay.
    Column("closed_at", _instant()),
)

# --- connectors: how far each source was read, and what waits for its other parts

source_cursors = Table(
    "source_cursors",
    metadata,
    Column("source", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("state", JSONB, nullable=False),
    Column("updated_at", _instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("source", "unit"),
)

source_rows = Table(
    "source_rows",
    metadata,
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("row_key", _key(), nullable=False),
    Column("change_date", Text, nullable=False),
    Column("digests", JSONB, nullable=False),
    Column("row", JSONB, nullable=False),
    Column("place", Text, nullable=False),
    Column("gone", Boolean, nullable=False, server_default=text("false")),
    # The newest dead letter when the row came: those after it may stand over it.
    Column("after_letter", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("source", "stream", "row_key"),
)

source_row_links = Table(
    "source_row_links",
    metadata,
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("row_key", _key(), nullable=False),
    Column("join_name", Text, nullable=False),
    Column("join_key", _key(), nullable=False),
    PrimaryKeyConstraint("source", "stream", "row_key", "join_name"),
    Index("source_row_links_by_join_key", "source", "stream", "join_name", "join_key"),
)

source_versions = Table(
    "source_versions",
    metadata,
    Column("source", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("key", _key(), nullable=False),
    Column("change_date", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    # The newest dead letter when the content came: those after it may stand over it.
    Column("after_letter", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("source", "document", "key", "change_date", "digest"),
)

source_waiting = Table(
    "source_waiting",
    metadata,
    Column("source", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("row_key", _key(), nullable=False),
    Column("since", _instant(), nullable=False, server_default=text("now()")),
    Column("missing", Text, nullable=False),
    PrimaryKeyConstraint("source", "document", "row_key"),
)

# --- customers: identity (what each document adds to a customer stands with the facts)

customer_records = Table(
    "customer_records",
    metadata,
    Column("key", _key(), primary_key=True),
    Column("name", Text),
    Column("tax_id", Text),
    Column("same_as", ARRAY(_key()), nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("customer_records_by_tax_id", "tax_id", postgresql_where=text("tax_id IS NOT NULL")),
    Index("customer_records_by_same_as", "same_as", postgresql_using="gin"),
)

customer_members = Table(
    "customer_members",
    metadata,
    Column("key", _key(), primary_key=True),
    Column("hub_id", Uuid, nullable=False, index=True),
)

source_ranks = Table(
    "source_ranks",
    metadata,
    Column("source", Text, primary_key=True),
    Column("rank", Integer, nullable=False),
)

customer_links = Table(
    "customer_links",
    metadata,
    Column("left_key", _key(), nullable=False),
    Column("right_key", _key(), nullable=False),
    Column("rule", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("refused", Text),
    Column("at", _instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("left_key", "right_key", "rule"),
    Index("customer_links_by_right_key", "right_key"),
)

# --- demand: what each order and opportunity line asks of production

product_records = Table(
    "product_records",
    metadata,
    Column("key", _key(), primary_key=True),
    Column("name", Text),
    Column("same_as", ARRAY(_key()), nullable=False),
)

stage_chances = Table(
    "stage_chances",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("chance", _amount(), nullable=False),
)

demand_lines = Table(
    "demand_lines",
    metadata,
    Column("document", Text, nullable=False),
    Column("key", _key(), nullable=False),
    Column("number", Text, nullable=False),
    Column("product_key", _key()),
    Column("demand_on", Date),
    Column("quantity", _amount()),
    Column("stage", Text),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("opportunity_key", _key()),
    PrimaryKeyConstraint("document", "key", "number"),
    Index("demand_lines_by_product", "product_key", "demand_on"),
    Index(
        "demand_lines_by_opportunity",
        "opportunity_key",
        postgresql_where=text("opportunity_key IS NOT NULL"),
    ),
)

# --- receivables: open items, what was received, and how it was allocated

receivable_invoices = Table(
    "receivable_invoices",
    metadata,
    Column("key", _key(), primary_key=True),
    Column("customer_key", _key()),
    Column("currency", Text),
    Column("rate", _amount()),
    Column("invoiced_on", Date),
    Column("gross", _amount()),
    Column("cancelled_on", Date),
    Column("numbers", ARRAY(Integer)),
    Column("due_on", ARRAY(Date)),
    Column("amounts", ARRAY(_amount())),
    Column("open_amounts", ARRAY(_amount())),
    Column("open_amount", _amount(), nullable=False, server_default=text("0")),
    Column("open_items", Integer, nullable=False, server_default=text("0")),
    Column("last_change_on", Date),
    # Room for the payment: an update that stays on its page touches no index.
    postgresql_with={"fillfactor": 70},
)

receivable_cancellations = Table(
    "receivable_cancellations",
    metadata,
    Column("key", _key(), primary_key=True),
    Column("invoice_key", _key(), nullable=False, index=True),
    Column("cancelled_on", Date, nullable=False),
)

receivable_receipts = Table(
    "receivable_receipts",
    metadata,
    Column("document", Text, nullable=False),
    Column("key", _key(), nullable=False),
    Column("customer_key", _key(), nullable=False),
    Column("currency", Text, nullable=False),
    Column("rate", _amount()),
    Column("amount", _amount(), nullable=False),
    Column("received_on", Date, nullable=False),
    Column("reversed_on", Date),
    Column("unallocated", _amount(), nullable=False),
    Column("last_change_on", Date, nullable=False),
    PrimaryKeyConstraint("document", "key"),
)

receivable_allocations = Table(
    "receivable_allocations",
    metadata,
    Column("document", Text, nullable=False),
    Column("key", _key(), nullable=False),
    Column("number", Integer, nullable=False),
    Column("invoice_key", _key(), nullable=False, index=True),
    Column("instalment", Integer),
    Column("amount", _amount(), nullable=False),
    Column("allocated_on", Date, nullable=False),
    Column("reversed_on", Date),
    Column("applied", _amount(), nullable=False),
    PrimaryKeyConstraint("document", "key", "number"),
)

receivable_balances = Table(
    "receivable_balances",
    metadata,
    Column("customer_key", _key(), nullable=False),
    Column("currency", Text, nullable=False),
    Column("open_amount", _amount(), nullable=False),
    Column("unallocated", _amount(), nullable=False),
    Column("items", BigInteger, nullable=False),
    PrimaryKeyConstraint("customer_key", "currency"),
    postgresql_with={"fillfactor": 50},
)


# --- the HTTP door: who may call it, and what it answered

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", _instant(), nullable=False, server_default=text("now()")),
    Column("revoked_at", _instant()),
    Index("api_tokens_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("arrived_at", BigInteger, nullable=False),
    Column("owner", Integer, nullable=False),
    Column("begun_at", _instant(), nullable=False, server_default=text("now()"), index=True),
    Column("status", Integer),
    Column("answer", LargeBinary),
    PrimaryKeyConstraint("caller", "key"),
)

# --- databases as sources: rows that are read again for a while, to find what was committed late

source_recent = Table(
    "source_recent",
    metadata,
    Column("source", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("position", Numeric(38)),
    PrimaryKeyConstraint("source", "unit", "digest"),
    Index("source_recent_by_position", "source", "unit", "position"),
)

# --- the schema registry: schemas, the versions of each subject, and how they may change

registry_schemas = Table(
    "registry_schemas",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("schema", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, index=True),
    Column("normal_digest", LargeBinary, nullable=False, index=True),
)

registry_versions = Table(
    "registry_versions",
    metadata,
    Column("subject", _key(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("schema_id", Integer, nullable=False, index=True),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    Column("registered_at", _instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("subject", "version"),
)

registry_settings = Table(
    "registry_settings",
    metadata,
    Column("subject", _key(), primary_key=True),
    Column("compatibility", Text),
    Column("mode", Text),
)

# --- backfills: what they brought themselves, over which their later contents may stand

backfilled_contents = Table(
    "backfilled_contents",
    metadata,
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", _key(), nullable=False),
    Column("mark", Text, nullable=False),
    PrimaryKeyConstraint("source", "kind", "key"),
)

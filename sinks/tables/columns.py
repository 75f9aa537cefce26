"""The metadata that every table stands in, and the types of columns that they share."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import DateTime, MetaData, Numeric, Text

metadata = MetaData()


def record_key() -> Text:
    """Record keys compare by code point, whatever the locale of the database."""
    return Text(collation="C")


def instant() -> DateTime:
    """An instant in UTC."""
    return DateTime(timezone=True)


def amount() -> Numeric[Decimal]:
    """An amount of money, a quantity or a rate."""
    return Numeric(38, 9)

"""Compares a source's own totals, from a file or a query, with what the hub holds of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import yaml

from connectors.errors import SourceError
from connectors.mapping.loading import load_mapping
from connectors.reconcile import (
    Item,
    Reconciliation,
    Stated,
    item_of,
    read_stated,
    reconcile,
)
from hub.settings import Settings
from hub.source_settings import DatabaseSource, Source
from ops.asking import snapshot
from schemas.catalogue import DOCUMENTS
from sinks import facts
from sinks.tables import FACT_DOCUMENTS

Rows = Sequence[Mapping[str, Any]]


def rows_of_file(path: Path) -> Rows:
    """The rows of a CSV file, or of a YAML file with a list of them.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        if path.suffix.lower() in (".yaml", ".yml"):
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                found = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise SourceError(f"{path}: expected a list of rows such as {{document: invoice, …}}")
    return found


def rows_of_query(source: Source, query: str) -> Rows:
    """What a query answers in the database of a source.

    Raises:
        SourceError: the source is no database, or it refuses.
    """
    if not isinstance(source, DatabaseSource):
        raise SourceError(f"{source.name} is no database: give its totals as a file (--totals)")
    from connectors.database.opening import open_engine, reading
    from connectors.database.relations import as_written

    engine = open_engine(source.url, source.name, source.timeout_seconds)
    with reading(engine, source.name, "the query") as connection:
        return [dict(row) for row in connection.execute(as_written(query)).mappings()]


def reconcile_source(
    url: str,
    settings: Settings,
    source: Source,
    rows: Rows,
    where: str,
    *,
    with_cancelled: bool,
) -> Reconciliation:
    """Compare what the rows state with the documents of a source.

    Raises:
        SourceError: a row cannot be used.
    """
    stated = read_stated(rows, where)
    mapping = load_mapping(source.mapping, source.name, settings.company.zone)
    types = _types(stated, where)
    with snapshot(url) as connection:
        held = [
            item
            for document in types
            for item in _held(connection, document, mapping.source, with_cancelled)
        ]
    return reconcile(stated, held)


def as_answer(source: str, found: Reconciliation) -> dict[str, Any]:
    """``sources reconcile NAME --json``."""
    return {
        "source": source,
        "agrees": found.agrees,
        "totals": [
            {
                "document": one.document,
                "period": one.period,
                "currency": one.currency,
                "stated": {"count": one.stated[0], "sum": _plain(one.stated[1])},
                "held": {"count": one.held[0], "sum": _plain(one.held[1])},
                "agrees": one.agrees,
            }
            for one in found.totals
        ],
        "differences": [
            {
                "kind": one.kind,
                "document": one.document,
                "id": one.id,
                "stated": _item(one.stated),
                "held": _item(one.held),
                "by": _plain(one.by),
            }
            for one in found.differences
        ],
    }


def _types(stated: Stated, where: str) -> list[str]:
    types = sorted({one.document for one in stated.totals} | {one.document for one in stated.items})
    unknown = [one for one in types if one not in DOCUMENTS]
    if unknown:
        known = ", ".join(FACT_DOCUMENTS)
        raise SourceError(
            f"{where}: no documents are called {', '.join(unknown)}; there are {known}"
        )
    return types


def _held(
    connection: psycopg.Connection[Any], document: str, source: str, with_cancelled: bool
) -> Iterator[Item]:
    left_out = "deleted" if with_cancelled else "deleted OR cancelled"
    # Not a caller's text: the type is one of the catalogue.
    query = f"SELECT key FROM fact_{document} WHERE {left_out}"
    gone = {row[0] for row in connection.execute(query)}
    for change in facts.read(connection, document):
        body = change.document
        if body["source"] != source or change.key in gone:
            continue
        if body.get("kind") == "cancellation" and not with_cancelled:
            continue
        yield item_of(document, body)


def _item(item: Item | None) -> dict[str, Any] | None:
    if item is None:
        return None
    day = None if item.day is None else item.day.isoformat()
    return {"date": day, "currency": item.currency, "amount": _plain(item.amount)}


def _plain(amount: Decimal | None) -> str | None:
    """A decimal with two digits, or as many more as it has."""
    if amount is None:
        return None
    short = amount.normalize()
    exponent = short.as_tuple().exponent
    digits = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{short:.{digits}f}"

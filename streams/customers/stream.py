"""Keeps who is one customer, and what each document adds to a customer, with the documents."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import psycopg

from hub.ids import customer_uuid
from sinks.changes import Change, Marks, refusal
from sinks.dead_letters import DeadLetter
from streams.customers import identity
from streams.customers.rules import record_of

SUBJECT = "customer"

_COLUMNS = "document, key, customer_key, on_date, kind, net, currency, rate, cancels"
_TYPES = ["text", "text", "text", "date", "text", "numeric", "text", "numeric", "text"]

#: The business date on which a document counts with its customer, by type.
_DATES = {
    "order": ("ordered_on",),
    "shipment": ("dispatched_on", "planned_on", "promised_on"),
    "invoice": ("invoiced_on",),
    "payment": ("received_on",),
    "opportunity": ("opened_on",),
}


class Customers:
    """The stream of the question: who is the customer, and how do we stand with them."""

    name = "customers"
    documents = frozenset({"customer", *_DATES})
    staging = ()

    def apply(
        self,
        connection: psycopg.Connection[Any],
        document: str,
        changes: list[Change],
        marks: Marks,
    ) -> list[DeadLetter]:
        """See `sinks.changes.Stream`."""
        if document == "customer":
            return self._take_records(connection, changes, marks)
        rows, letters = [], []
        for change in changes:
            try:
                row = None if change.gone else contribution(document, change)
            except Exception as error:  # noqa: BLE001 - a rule failed on this record only
                letters.append(refusal(self.name, document, change, error))
                continue
            rows.append((change, row))
        known = [change.key for change, _ in rows if not change.first]
        touched = {row[2] for _, row in rows if row}
        if known:
            touched.update(
                customer_key
                for (customer_key,) in connection.execute(
                    "DELETE FROM customer_documents WHERE document = %s AND key = ANY(%b)"
                    " RETURNING customer_key",
                    (document, known),
                )
            )
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY customer_documents ({_COLUMNS}) FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.set_types(_TYPES)
            for _, row in rows:
                if row is not None:
                    copy.write_row(row)
        introduce(connection, touched)
        marks.add(SUBJECT, touched)
        return letters

    def _take_records(
        self, connection: psycopg.Connection[Any], changes: list[Change], marks: Marks
    ) -> list[DeadLetter]:
        taken, letters = {}, []
        for change in changes:
            try:
                record = None if change.gone else record_of(change.key, change.document)
            except Exception as error:  # noqa: BLE001 - a rule failed on this record only
                letters.append(refusal(self.name, "customer", change, error))
                continue
            name = change.document.get("name") if record else None
            version = change.document.get("version", 0)
            taken[change.key] = (record, name, version)
        marks.add(SUBJECT, identity.regroup(connection, taken))
        return letters


def introduce(connection: psycopg.Connection[Any], keys: Collection[str]) -> None:
    """Give each key that is named for the first time a customer of its own (DOMAIN §2)."""
    missing = connection.execute(
        """
        SELECT key FROM unnest(%b::text[]) AS named (key)
        WHERE NOT EXISTS (SELECT 1 FROM customer_members AS member WHERE member.key = named.key)
        ORDER BY key COLLATE "C"
        """,
        (list(keys),),
    ).fetchall()
    if missing:
        connection.execute(
            """
            INSERT INTO customer_members (key, hub_id)
            SELECT * FROM unnest(%b::text[], %b::uuid[]) ON CONFLICT (key) DO NOTHING
            """,
            ([key for (key,) in missing], [customer_uuid(key) for (key,) in missing]),
        )


def contribution(document: str, change: Change) -> tuple[Any, ...] | None:
    """Return the row that a document adds to its customer; None where it names no customer."""
    body = change.document
    customer = body["customer"]
    if customer is None:
        return None
    on = next((body[name] for name in _DATES[document] if body[name]), None)
    return (
        document,
        change.key,
        f"{customer['source']}|{customer['id']}",
        on or body["occurred_at"].date(),
        body.get("kind"),
        body.get("net"),
        body.get("currency"),
        body.get("rate"),
        f"{body['cancels']['source']}|{body['cancels']['id']}" if body.get("cancels") else None,
    )

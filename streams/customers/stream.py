"""Keeps who is one customer; what each document adds to a customer stands with the facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import psycopg

from hub.ids import customer_uuid
from sinks.changes import Change, Marks, refusal
from sinks.dead_letters import DeadLetter
from sinks.projection import PROJECTED
from streams.customers import identity
from streams.customers.rules import record_of

#: What marks are about: customers by the keys of their records, and by their ids of the hub.
SUBJECT = "customer"
OF_HUB = "customer_of_hub"


class Customers:
    """The stream of the question: who is the customer, and how do we stand with them."""

    name = "customers"
    documents = frozenset({"customer"}) | PROJECTED
    customers_of = PROJECTED
    tables = ("customer_records", "customer_members", "customer_links")
    views: Mapping[str, str] = MappingProxyType(
        {"view.customer.v1": OF_HUB, "view.receivable.v1": OF_HUB}
    )
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
        touched = {change.customer for change in changes}
        touched.update([change.customer_before for change in changes])
        named = {key for key in touched if key is not None}
        introduce(connection, named)
        marks.add(SUBJECT, named)
        return []

    def finish(self, connection: psycopg.Connection[Any]) -> None:
        """See `sinks.changes.Stream`."""

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

"""Sorts the log into the documents that must stand and the records that must be dead letters."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import fastavro

from tests.oracle.contracts import Contract, contracts
from tests.oracle.log import Place, Record
from tests.oracle.money import digits_of

Document = dict[str, Any]

CLOSED_SETS: dict[str, dict[str, set[str | None]]] = {
    "opportunity": {
        "stage": {"identify", "qualify", "develop", "propose", "won", "lost"},
        "outcome": {None, "won", "lost"},
    },
    "order": {"status": {"open", "closed", "cancelled"}},
    "shipment": {"status": {"planned", "dispatched", "delivered", "cancelled"}},
    "invoice": {
        "kind": {"invoice", "credit_note", "cancellation"},
        "status": {"posted", "cancelled"},
    },
    "payment": {"kind": {"receipt", "refund", "write_off"}},
    "lead": {
        "channel": {None, "customer", "dealer", "salesperson", "campaign", "call_centre", "web"},
        "status": {"open", "qualified", "converted", "dropped"},
    },
    "contact": {"influence": {None, "decides", "recommends", "uses", "blocks"}},
    "production": {"status": {"planned", "released", "started", "finished", "cancelled"}},
    "capacity": {"period": {"day", "week"}},
    "case": {"category": {"quality", "delivery", "after_sales", "billing", "request"}},
    "service_visit": {"status": {None, "planned", "completed", "cancelled"}},
    "equipment": {"status": {None, "in_service", "out_of_service", "retired"}},
    "decision": {
        "kind": {
            *("link", "keep_apart", "acknowledge", "snooze"),
            *("assign", "overrule", "accept", "reserve"),
        }
    },
}

#: Dates of which the second is not before the first, where both are stated.
IN_ORDER: dict[str, tuple[tuple[str, str], ...]] = {
    "opportunity": (("opened_on", "closed_on"),),
    "lead": (("opened_on", "closed_on"),),
    "shipment": (("dispatched_on", "delivered_on"),),
    "payment": (("received_on", "reversed_on"),),
    "production": (("planned_start_on", "planned_finish_on"), ("started_on", "finished_on")),
    "case": (("opened_at", "closed_at"),),
    "service_visit": (("arrived_at", "completed_at"),),
}

#: References that are never to the document itself.
NOT_ITSELF = {
    "customer": "parent",
    "contact": "reports_to",
    "product": "replaced_by",
    "invoice": "cancels",
}

NOT_NEGATIVE: dict[str, tuple[str, ...]] = {
    "lead": ("budget",),
    "visit": ("expense",),
    "target": ("sales_target", "collections_target", "working_days"),
    "production": ("quantity_planned", "quantity_finished", "quantity_scrapped"),
    "capacity": ("quantity", "hours"),
    "call": ("waited_s", "talked_s"),
    "service_visit": ("cost",),
    "equipment": ("operating_hours",),
    "product": (
        *("lead_time_days", "service_interval_days"),
        *("service_interval_hours", "expected_life_days"),
    ),
    "decision": ("amount", "quantity"),
}

#: Totals that have no more digits than their currency, where both are stated.
TOTALS: dict[str, tuple[str, ...]] = {
    "opportunity": ("amount",),
    "payment": ("amount",),
    "invoice": ("net", "gross"),
    "lead": ("budget",),
    "visit": ("expense",),
    "target": ("sales_target", "gross_margin_target", "collections_target"),
    "service_visit": ("cost",),
    "decision": ("amount",),
}


@dataclass(frozen=True, slots=True)
class Unacceptable:
    """A record that must be in the dead letters: it cannot be read, or breaks a rule."""

    record: Record
    reason: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """One document version that the log holds with several contents.

    `winner` and each of `losers` list the records with that content; `newest` says whether it is
    the version that stands, whose conflict no order of arrival can hide.
    """

    document: str
    key: str
    version: int
    newest: bool
    winner: list[Record]
    losers: list[list[Record]]

    @property
    def place(self) -> str:
        """The document's key and version, as `source|id@version`."""
        return f"{self.key}@{self.version}"


@dataclass(slots=True)
class Documents:
    """What the log says: per document type the newest body by `source|id`, and the bad records."""

    newest: dict[str, dict[str, Document]] = field(default_factory=dict)
    undecodable: list[Unacceptable] = field(default_factory=list)
    rejected: list[Unacceptable] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    accepted: dict[str, list[Record]] = field(default_factory=dict)
    #: The places of records whose key a later tombstone ended: nothing of them may be left.
    erased: set[Place] = field(default_factory=set)

    def live(self, document: str) -> dict[str, Document]:
        """Return the undeleted documents of a type by `source|id`."""
        found = self.newest.get(document, {})
        return {key: body for key, body in found.items() if not body["deleted"]}


def read_documents(records: Iterable[Record]) -> Documents:
    """Decode the records, in any order of topics and partitions, and settle each document.

    The highest version of (source, id) stands; of one version with several contents the one with
    the larger hash. On compacted topics a tombstone erases what came before it under its key.
    """
    documents = Documents()
    versions: dict[tuple[str, str], _Versions] = {}
    places: dict[tuple[str, bytes | None], list[Place]] = {}
    for record in sorted(records, key=lambda record: record.place):
        contract = contracts()[record.topic]
        if contract.compacted:
            before = places.setdefault((record.topic, record.key), [])
            if record.value is None:
                documents.erased.update(before)
            before.append(record.place)
        if record.value is None:
            if contract.compacted:
                name = (contract.document, _text(record.key))
                _settle(documents, *name, versions.pop(name, {}), erased=True)
            else:
                documents.undecodable.append(Unacceptable(record, "no value"))
            continue
        body, reason = decode(contract, record.value)
        if body is None:
            documents.undecodable.append(Unacceptable(record, reason))
            continue
        broken = broken_rule(contract.document, body)
        if broken is not None:
            documents.rejected.append(Unacceptable(record, broken))
            continue
        key = f"{body['source']}|{body['id']}"
        documents.accepted.setdefault(contract.document, []).append(record)
        contents = versions.setdefault((contract.document, key), {})
        digest = content_digest(record.value)
        contents.setdefault(body["version"], {}).setdefault(digest, []).append(record)
    for (document, key), by_version in versions.items():
        _settle(documents, document, key, by_version)
    return documents


#: By version and content the records that carry it. Not the documents: those of all versions at
#: once are ten times as large, so the one that stands is decoded again.
_Versions = dict[int, dict[bytes, list[Record]]]


def _settle(
    documents: Documents, document: str, key: str, by_version: _Versions, *, erased: bool = False
) -> None:
    newest = max(by_version, default=0)
    for version, contents in by_version.items():
        largest = max(contents)
        stands = version == newest and not erased
        if stands:
            documents.newest.setdefault(document, {})[key] = _body_of(contents[largest][0])
        if len(contents) > 1:
            losers = [carriers for hash_, carriers in contents.items() if hash_ != largest]
            conflict = Conflict(document, key, version, stands, contents[largest], losers)
            documents.conflicts.append(conflict)


def _body_of(record: Record) -> Document:
    body, reason = decode(contracts()[record.topic], record.value or b"")
    assert body is not None, reason
    return body


def decode(contract: Contract, value: bytes) -> tuple[Document | None, str]:
    """Decode one value in the Confluent wire format; (None, reason) where it cannot be read."""
    if len(value) < 5 or value[0] != 0:
        return None, "not in the wire format"
    schema_id = int.from_bytes(value[1:5], "big")
    if schema_id != contract.schema_id:
        return None, f"schema id {schema_id} is not this topic's"
    stream = io.BytesIO(value[5:])
    try:
        body = fastavro.schemaless_reader(stream, contract.parsed, None)
    except Exception as error:  # noqa: BLE001 - fastavro raises whatever the damaged bytes lead it into
        return None, f"not Avro of this contract: {error!r}"
    left = len(value) - 5 - stream.tell()
    if left:
        return None, f"{left} bytes left over"
    assert isinstance(body, dict)
    return body, ""


def content_digest(value: bytes) -> bytes:
    """Return the SHA-256 of a wire-format value's Avro body without the leading version varint."""
    start = 5
    while value[start] & 0x80:
        start += 1
    return hashlib.sha256(value[start + 1 :]).digest()


def broken_rule(document: str, body: Document) -> str | None:
    """Return which rule a decoded document breaks, or None (DOMAIN.md §2)."""
    source = body["source"]
    if not source or "|" in source or len(source) > 150 or not body["id"] or body["version"] <= 0:
        return "source, id or version is not usable"
    for name, allowed in CLOSED_SETS.get(document, {}).items():
        if body[name] not in allowed:
            return f"{name} is {body[name]!r}"
    for name in ("lines", "instalments", "parts"):
        numbers = [part["number"] for part in body.get(name, [])]
        if len(set(numbers)) < len(numbers):
            return f"{name} have a number twice"
    if "rate" in body and body["rate"] is not None and body["rate"] <= 0:
        return f"rate is {body['rate']}"
    for name in NOT_NEGATIVE.get(document, ()):
        if (body[name] or 0) < 0:
            return f"{name} is {body[name]}"
    for earlier, later in IN_ORDER.get(document, ()):
        if body[earlier] and body[later] and body[later] < body[earlier]:
            return f"{later} is before {earlier}"
    named = body[NOT_ITSELF[document]] if document in NOT_ITSELF else None
    if named == {"source": body["source"], "id": body["id"]}:
        return f"{NOT_ITSELF[document]} is the document itself"
    if body.get("terms") is not None and not _is_usable(body["terms"]):
        return f"terms are {body['terms']}"
    if document in ("call", "case") and body["rating"] not in (None, 1, 2, 3, 4, 5):
        return f"rating is {body['rating']}"
    if document in ("target", "capacity") and body["period_to"] < body["period_from"]:
        return "it ends before it begins"
    if document == "capacity" and body["quantity"] is None and body["hours"] is None:
        return "it states no capacity"
    if document == "equipment" and not body["serial_number"]:
        return "it has no serial number"
    if document == "opportunity" and not 0 <= (body["probability"] or 0) <= 1:
        return f"probability is {body['probability']}"
    if document == "payment" and body["kind"] == "refund" and body["amount"] > 0:
        return "a refund is positive"
    if document == "invoice":
        broken = _broken_invoice(body)
        if broken is not None:
            return broken
    for name, amount in _amounts_with_digits(document, body):
        scaled = amount.scaleb(digits_of(body["currency"]))
        if scaled != scaled.to_integral_value():
            return f"{name} {amount} has more digits than {body['currency']} has"
    return None


def _is_usable(terms: Document) -> bool:
    months, days = terms["months"], terms["days"]
    return bool(0 <= months <= 1200 and 0 <= days <= 36500)


def _broken_invoice(body: Document) -> str | None:
    if any(each["until"] and each["until"] < each["since"] for each in body["disputes"]):
        return "a dispute ends before it began"
    if body["kind"] == "cancellation":
        return "a cancellation cancels nothing" if body["cancels"] is None else None
    if body["kind"] == "credit_note" and min(body["net"], body["gross"]) < 0:
        return "a credit note is negative"
    parts = [part["amount"] for part in body["instalments"]]
    if parts and sum(parts) != body["gross"]:
        return f"instalments come to {sum(parts)}, gross is {body['gross']}"
    return None


def _amounts_with_digits(document: str, body: Document) -> list[tuple[str, Decimal]]:
    amounts = [
        (name, body[name])
        for name in TOTALS.get(document, ())
        if body[name] is not None and body["currency"]
    ]
    if document == "invoice" and body["kind"] != "cancellation":
        for part in body["instalments"]:
            amounts.append((f"instalment {part['number']}", part["amount"]))
    if document in ("invoice", "payment") and body["kind"] != "cancellation":
        for allocation in body["allocations"]:
            amounts.append(("allocation", allocation["amount"]))
    return amounts


def _text(key: bytes | None) -> str:
    return (key or b"").decode("utf-8", "replace")

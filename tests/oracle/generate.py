"""Makes random but repeatable document histories, as records ready to be put into the log."""

from __future__ import annotations

import copy
import io
import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import fastavro

from tests.oracle.contracts import contract_of, contracts
from tests.oracle.customers import USCC_ALPHABET, is_social_credit_code

AS_OF = date(2026, 6, 30)
BASE_CURRENCY = "CNY"
FIRST_DAY = date(2025, 3, 1)
CURRENCIES = ("CNY",) * 8 + ("USD", "EUR", "JPY")
STAGES = ("identify", "qualify", "develop", "propose", "won", "lost")
PRODUCTS = ("EX-20", "EX-35", "EX-60", "EX-90", "BK-1", "BK-2", "TR-7")

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """A record to be produced: send it to partition `partition_hint % partitions` of the topic.

    The hint is the customer's on topics partitioned by customer and the record key's on the
    others, so that what a compacted topic holds of one key keeps its order.
    """

    topic: str
    key: bytes
    partition_hint: int
    value: bytes | None


def generate(
    seed: int,
    *,
    customers: int = 20,
    events: int = 500,
    poison: int = 13,
    tombstones: int = 3,
) -> list[Event]:
    """Return `events` shuffled records about `customers` customers, the same for the same seed.

    `poison` of them must end in the dead letters; `tombstones` erase documents of compacted
    topics. Business dates lie around `AS_OF`; the base currency is `BASE_CURRENCY`.
    """
    history = _History(random.Random(seed), customers)
    history.introduce_parties()
    while len(history.events) < events - poison - tombstones:
        history.tell_a_story()
    chosen = history.events[: events - poison - tombstones]
    chosen += [history.poisoned(chosen, number) for number in range(poison)]
    chosen += history.tombstones(tombstones)
    history.random.shuffle(chosen)
    return chosen


def encode(document: str, body: Mapping[str, Any]) -> bytes:
    """Encode a document in the Confluent wire format; absent fields take their defaults."""
    contract = contract_of(document)
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, contract.parsed, dict(body))
    return b"\x00" + contract.schema_id.to_bytes(4, "big") + stream.getvalue()


def event_of(document: str, body: Mapping[str, Any]) -> Event:
    """Return the record that carries a document, with the partition our connectors choose."""
    key = f"{body['source']}|{body['id']}"
    contract = contract_of(document)
    reference = None if contract.compacted else body.get("customer")
    owner = f"{reference['source']}|{reference['id']}" if reference else key
    return Event(
        contract.topic,
        key.encode(),
        zlib.crc32(owner.encode()),
        encode(document, body),
    )


def noon(day: date) -> datetime:
    """Return noon UTC of a date, for the instant fields of invented documents."""
    return datetime.combine(day, time(12), tzinfo=UTC)


def social_credit_code(number: int) -> str:
    """Return a valid 18-character unified social credit code made from a number."""
    start = f"91350100M{number:08d}"
    for mark in USCC_ALPHABET:
        if is_social_credit_code(start + mark):
            return start + mark
    raise AssertionError(start)


class _History:
    def __init__(self, rng: random.Random, customers: int) -> None:
        self.random = rng
        self.customers = customers
        self.events: list[Event] = []
        self.next_number = 1000

    # -- parties, products and rates

    def introduce_parties(self) -> None:
        for number in range(len(PRODUCTS)):
            product: Body = {"name": f"Product {number}", "unit": "EA", "same_as": []}
            if number < 3:
                product["same_as"] = [{"source": "crm", "id": f"P{number}"}]
            self.publish("product", {**self.header("erp", PRODUCTS[number]), **product})
        for month in range(16):
            for currency, rate in (("USD", "7.1"), ("EUR", "7.8"), ("JPY", "0.047")):
                day = FIRST_DAY + timedelta(days=30 * month)
                body = {
                    **self.header("erp", f"{currency}-{day}"),
                    "currency": currency,
                    "base": BASE_CURRENCY,
                    "rate": Decimal(rate) + Decimal(self.random.randrange(-99, 99)).scaleb(-4),
                    "valid_on": day,
                }
                self.publish("rate", body)
        for number in range(self.customers):
            self.introduce_customer(number)

    def introduce_customer(self, number: int) -> None:
        tax_id = self.random.choice(
            [social_credit_code(number)] * 5
            + [None, "000000000000000000", "unknown", "91350100M000100Y44", f"DE{number:09d}"]
        )
        erp = {
            **self.header("erp", f"C{number}"),
            "name": f"Customer {number} Ltd",
            "tax_id": tax_id,
            "same_as": [],
        }
        crm = {
            **self.header("crm", f"A{number}"),
            "name": f"Customer {number}",
            "tax_id": None,
            "same_as": [],
        }
        link = self.random.random()
        if link < 0.4:
            crm["same_as"] = [{"source": "erp", "id": f"C{number}"}]
        elif link < 0.6:
            crm["tax_id"] = tax_id
        elif link < 0.7:
            crm["tax_id"] = tax_id
            crm["same_as"] = [{"source": "erp", "id": f"C{self.any_customer()}"}]
        if self.random.random() < 0.9:
            self.publish("customer", erp)
        if self.random.random() < 0.8:
            self.publish("customer", crm)

    # -- stories of one customer

    def tell_a_story(self) -> None:
        customer = {"source": "erp", "id": f"C{self.any_customer()}"}
        if self.random.random() < 0.15:
            customer = {"source": "crm", "id": f"A{self.any_customer()}"}
        self.random.choice(
            [
                self.sale,
                self.sale,
                self.sale,
                self.sale,
                self.invoice_and_payments,
                self.invoice_and_payments,
                self.invoice_and_payments,
                self.advance_and_refund,
                self.cancelled_invoice,
                self.credit_note,
            ]
        )(customer)

    def sale(self, customer: Body) -> None:
        opened_on = self.day()
        stage = self.random.choice(STAGES)
        lines = []
        for number in range(1, self.random.randint(2, 4)):
            lines.append(
                {
                    "number": str(number),
                    "product": self.maybe(self.product_of_crm(), 0.9),
                    "quantity": self.maybe(Decimal(self.random.randint(1, 9)), 0.9),
                    "wanted_on": self.maybe(opened_on + self.days(150), 0.6),
                }
            )
        opportunity = {
            **self.header("crm", self.number()),
            "customer": customer,
            "stage": stage,
            "outcome": stage if stage in ("won", "lost") else None,
            "opened_on": self.maybe(opened_on, 0.95),
            "expected_close_on": self.maybe(opened_on + self.days(90), 0.8),
            "lines": lines,
        }
        self.publish("opportunity", opportunity)
        if stage == "won" or self.random.random() < 0.3:
            ordered_from = {"source": "crm", "id": opportunity["id"]}
            self.order(customer, opened_on + self.days(60), self.maybe(ordered_from, 0.8))

    def order(self, customer: Body, ordered_on: date, opportunity: Body | None) -> None:
        cancelled = self.random.random() < 0.15
        lines = []
        for number in range(1, self.random.randint(2, 4)):
            lines.append(
                {
                    "number": str(number * 10),
                    "product": {"source": "erp", "id": self.random.choice(PRODUCTS)},
                    "quantity": Decimal(self.random.randint(1, 6)),
                    "net_amount": self.amount("CNY"),
                    "wanted_on": self.maybe(ordered_on + self.days(120), 0.7),
                    "rejected": self.random.random() < 0.1,
                }
            )
        order = {
            **self.header("erp", self.number()),
            "customer": customer,
            "ordered_on": ordered_on,
            "currency": BASE_CURRENCY,
            "opportunity": opportunity,
            "status": "cancelled" if cancelled else "open",
            "cancelled_on": self.maybe(ordered_on + self.days(60), 0.7) if cancelled else None,
            "lines": lines,
        }
        self.publish("order", order)
        shipped_on = ordered_on + self.days(60)
        shipment = {
            **self.header("erp", self.number()),
            "customer": self.maybe(customer, 0.9),
            "dispatched_on": shipped_on,
            "status": "dispatched",
            "lines": [
                {
                    "number": "1",
                    "order": {"source": "erp", "id": order["id"]},
                    "order_line": "10",
                    "quantity": lines[0]["quantity"],
                }
            ],
        }
        self.publish("shipment", shipment)

    def invoice(self, customer: Body) -> Body:
        currency = self.random.choice(CURRENCIES)
        invoiced_on = self.day()
        gross = self.amount(currency)
        body = {
            **self.header("erp", self.number()),
            "customer": customer,
            "kind": "invoice",
            "invoiced_on": invoiced_on,
            "net": self.part(gross, Decimal("0.87"), currency),
            "gross": gross,
            "currency": currency,
            "rate": self.rate(currency),
            "status": "posted",
            "instalments": [],
            "lines": [],
        }
        how = self.random.random()
        if how < 0.4:
            first = self.part(gross, Decimal("0.3"), currency)
            second = self.part(gross, Decimal("0.5"), currency)
            for number, amount in enumerate((first, second, gross - first - second), start=1):
                due = invoiced_on + timedelta(days=30 * number - self.random.choice([0, 40]))
                body["instalments"].append({"number": number, "due_on": due, "amount": amount})
        elif how < 0.8:
            body["terms"] = {
                "months": self.random.choice([0, 1, 2]),
                "end_of_month": self.random.random() < 0.4,
                "days": self.random.choice([0, 10, 30]),
            }
        self.publish("invoice", body)
        return body

    def invoice_and_payments(self, customer: Body) -> None:
        invoice = self.invoice(customer)
        for _ in range(self.random.randint(0, 3)):
            payer = customer
            if self.random.random() < 0.05:
                payer = {"source": "erp", "id": f"C{self.any_customer()}"}
            self.payment(payer, invoice)

    def payment(self, customer: Body, invoice: Body) -> None:
        currency = invoice["currency"]
        paid = self.part(invoice["gross"], Decimal(self.random.randint(1, 12)) / 10, currency)
        received_on = invoice["invoiced_on"] + timedelta(days=self.random.randint(-40, 120))
        allocations = []
        for share in self.random.choice([(), ("1",), ("1",), ("1.3",), ("0.5", "0.4")]):
            target = invoice["id"] if self.random.random() < 0.95 else "unknown"
            numbers = [part["number"] for part in invoice["instalments"]]
            allocations.append(
                {
                    "invoice": {"source": "erp", "id": target},
                    "instalment": self.maybe(self.random.choice(numbers or [1]), 0.4),
                    "amount": self.part(paid, Decimal(share), currency),
                    "allocated_on": self.maybe(received_on + self.days(20), 0.4),
                }
            )
        body = {
            **self.header("erp", self.number()),
            "customer": customer,
            "kind": self.random.choice(["receipt"] * 9 + ["write_off"]),
            "amount": paid,
            "currency": currency,
            "rate": self.rate(currency),
            "received_on": received_on,
            "reversed_on": self.maybe(received_on + self.days(90), 0.1),
            "allocations": allocations,
        }
        self.publish("payment", body)

    def advance_and_refund(self, customer: Body) -> None:
        received_on = self.day()
        advance = {
            **self.header("erp", self.number()),
            "customer": customer,
            "kind": "receipt",
            "amount": Decimal(1000),
            "currency": BASE_CURRENCY,
            "received_on": received_on,
        }
        self.publish("payment", advance)
        if self.random.random() < 0.5:
            refund = {
                **advance,
                "id": self.number(),
                "kind": "refund",
                "amount": Decimal(-400),
                "received_on": received_on + self.days(30),
            }
            self.publish("payment", refund)

    def cancelled_invoice(self, customer: Body) -> None:
        invoice = self.invoice(customer)
        if self.random.random() < 0.5:
            self.payment(customer, invoice)
        for _ in range(self.random.choice([1, 1, 1, 2])):
            cancellation = {
                **self.header("erp", self.number()),
                "customer": customer,
                "kind": "cancellation",
                "invoiced_on": invoice["invoiced_on"] + timedelta(self.random.randint(-5, 60)),
                "cancels": {"source": "erp", "id": invoice["id"]},
                "net": Decimal(0),
                "gross": Decimal(0),
                "currency": invoice["currency"],
                "status": "posted",
            }
            self.publish("invoice", cancellation)

    def credit_note(self, customer: Body) -> None:
        invoice = self.invoice(customer)
        currency = invoice["currency"]
        gross = self.part(invoice["gross"], Decimal("0.2"), currency)
        allocation = {
            "invoice": {"source": "erp", "id": invoice["id"]},
            "instalment": None,
            "amount": gross,
            "allocated_on": None,
        }
        note = {
            **self.header("erp", self.number()),
            "customer": customer,
            "kind": "credit_note",
            "invoiced_on": invoice["invoiced_on"] + self.days(40),
            "net": self.part(gross, Decimal("0.87"), currency),
            "gross": gross,
            "currency": currency,
            "rate": self.rate(currency),
            "status": "posted",
            "allocations": [allocation] if self.random.random() < 0.7 else [],
        }
        self.publish("invoice", note)

    # -- versions, repeats and conflicts of one document

    def publish(self, document: str, body: Body) -> None:
        versions = self.random.choice([1, 1, 1, 2, 3])
        for version in range(1, versions + 1):
            shown = copy.deepcopy(body)
            shown["version"] = 1_000_000 * version
            if version < versions:
                self.disturb(document, shown)
            elif self.random.random() < 0.05:
                shown["deleted"] = True
            self.events.append(event_of(document, shown))
            if self.random.random() < 0.1:
                self.events.append(self.events[-1])
            if self.random.random() < 0.04:
                rival = copy.deepcopy(shown)
                self.disturb(document, rival)
                self.events.append(event_of(document, rival))

    def disturb(self, document: str, body: Body) -> None:
        """Change something that the figures depend on, so that a wrong version shows."""
        body["occurred_at"] += timedelta(microseconds=self.random.randint(1, 10**9))
        change = self.random.random()
        if document == "payment":
            body["amount"] += 7
            if change < 0.3:
                body["allocations"] = []
            elif change < 0.6:
                body["received_on"] -= self.days(60)
        elif document == "invoice":
            body["net"] += 11
            body["gross"] += 11
            for part in body.get("instalments", [])[:1]:
                part["amount"] += 11
            if body["kind"] == "cancellation" and change < 0.3:
                body["cancels"] = {"source": "erp", "id": str(int(body["id"]) - 3)}
            elif body["kind"] != "cancellation" and change < 0.2:
                body["kind"] = "credit_note" if body["kind"] == "invoice" else "invoice"
            elif change < 0.5:
                body["invoiced_on"] += self.days(60)
        elif document == "order" or document == "opportunity":
            for line in body["lines"]:
                line["quantity"] = (line["quantity"] or Decimal(0)) + 2
            if document == "order" and change < 0.3:
                body["opportunity"] = None
        elif document == "rate":
            body["rate"] += Decimal("0.5")
        elif document == "customer":
            number = self.any_customer()
            body["tax_id"] = self.random.choice([None, social_credit_code(number)])
            body["same_as"] = [{"source": "erp", "id": f"C{number}"}] if change < 0.5 else []
        elif document == "product":
            body["same_as"] = [{"source": "crm", "id": f"P{self.random.randrange(3)}"}]
        if "customer" in body and body["customer"] and self.random.random() < 0.3:
            body["customer"] = {"source": "erp", "id": f"C{self.any_customer()}"}

    # -- bad records and tombstones

    def poisoned(self, events: list[Event], number: int) -> Event:
        victim = events[self.random.randrange(len(events))]
        value = victim.value or b""
        own_id = int.from_bytes(value[1:5], "big")
        other_id = next(c.schema_id for c in contracts().values() if c.schema_id != own_id)
        broken = (
            value[: -self.random.randint(1, 5)],
            value + b"\x00",
            b"\x00" + (9999).to_bytes(4, "big") + value[5:],
            b"\x00" + other_id.to_bytes(4, "big") + value[5:],
            b"\x01" + value[1:],
            self.random.randbytes(40).replace(b"\x00", b"x"),
            b"",
            b"\x00\x00",
            b"\x00" + own_id.to_bytes(4, "big"),
        )
        invoice = {
            **self.header("erp", self.number()),
            "version": 1,
            "customer": {"source": "erp", "id": "C0"},
            "kind": "invoice",
            "invoiced_on": FIRST_DAY,
            "net": Decimal("10.00"),
            "gross": Decimal("10.00"),
            "currency": BASE_CURRENCY,
            "status": "posted",
        }
        part = {"number": 1, "due_on": FIRST_DAY, "amount": Decimal("9.00")}
        rule_breaking = (
            {**invoice, "kind": "gift"},
            {**invoice, "gross": Decimal("10.005")},
            {**invoice, "instalments": [part]},
            {**invoice, "kind": "cancellation"},
        )
        choice = number % (len(broken) + len(rule_breaking))
        if choice < len(broken):
            return Event(victim.topic, victim.key, victim.partition_hint, broken[choice])
        return event_of("invoice", rule_breaking[choice - len(broken)])

    def tombstones(self, number: int) -> list[Event]:
        found = []
        for _ in range(number):
            source, letter = self.random.choice([("erp", "C"), ("crm", "A")])
            key = f"{source}|{letter}{self.any_customer()}".encode()
            found.append(Event(contract_of("customer").topic, key, zlib.crc32(key), None))
        return found

    # -- small choices

    def header(self, source: str, number: str) -> Body:
        return {"source": source, "id": number, "occurred_at": noon(FIRST_DAY), "deleted": False}

    def number(self) -> str:
        self.next_number += 1
        return str(self.next_number)

    def any_customer(self) -> int:
        return self.random.randrange(self.customers)

    def product_of_crm(self) -> Body:
        number = self.random.randrange(4)
        if number < 3:
            return {"source": "crm", "id": f"P{number}"}
        return {"source": "erp", "id": self.random.choice(PRODUCTS)}

    def day(self) -> date:
        return FIRST_DAY + timedelta(days=self.random.randrange((AS_OF - FIRST_DAY).days + 30))

    def days(self, most: int) -> timedelta:
        return timedelta(days=self.random.randrange(most))

    def maybe(self, value: Any, chance: float) -> Any:
        return value if self.random.random() < chance else None

    def rate(self, currency: str) -> Decimal | None:
        if currency == BASE_CURRENCY or self.random.random() < 0.5:
            return None
        return {"USD": Decimal("7.12"), "EUR": Decimal("7.79"), "JPY": Decimal("0.048")}[currency]

    def amount(self, currency: str) -> Decimal:
        cents = self.random.randrange(1_000, 2_000_000)
        return Decimal(cents) if currency == "JPY" else Decimal(cents).scaleb(-2)

    def part(self, amount: Decimal, share: Decimal, currency: str) -> Decimal:
        return (amount * share).quantize(Decimal(1) if currency == "JPY" else Decimal("0.01"))

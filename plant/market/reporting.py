"""The stories that the truth tells: of a late payment, of a sale, of a customer that was lost."""

from __future__ import annotations

from datetime import date

from plant.documents import Invoice
from plant.truth import LateInvoice, LostCustomer, Named, Story
from plant.world import World

_OF_EACH_KIND = 3
_WORTH_TELLING_DAYS = 10

_WHAT_WENT_WRONG = {
    "delivery": {
        "production": "Production of it finished later than planned.",
        "shipment": "It left too late to arrive when it was promised.",
        "case": "The customer complained, and held the money back.",
    },
    "quality": {
        "shipment": "What came was not as it should be.",
        "case": "The customer complained, and held the money back.",
    },
}


def tell_late_invoice(
    world: World, invoice: Invoice, late: LateInvoice, payment: int | None
) -> None:
    """Keep the story of an invoice that was paid late because of the goods or the delivery."""
    if late.cause not in _WHAT_WENT_WRONG or payment is None or invoice.order is None:
        return
    types = {each for each, _ in late.evidence}
    order = world.orders.get(invoice.order)
    if order is None or late.paid_on is None or not _WHAT_WENT_WRONG[late.cause].keys() <= types:
        return
    days = (late.paid_on - late.due_on).days
    if days < _WORTH_TELLING_DAYS:
        return
    sentences = _WHAT_WENT_WRONG[late.cause]
    _tell(
        world,
        "late_payment",
        f"Why {_name(world, invoice.customer)} paid {days} days late: {late.cause}",
        [
            (("order", order.key), f"It ordered; {_promise(order.lines[0].promised_on)}."),
            *((each, sentences[each[0]]) for each in late.evidence if each[0] in sentences),
            (("invoice", invoice.key), f"It was charged{_parts(invoice)}, due on {late.due_on}."),
            (("payment", payment), "The money came when the complaint was settled."),
        ],
    )


def tell_sale(world: World, order_key: int) -> None:
    """Keep the story of an order that was an opportunity first and left in several shipments."""
    progress, order = world.market.progress[order_key], world.orders[order_key]
    if order.opportunity is None or len(progress.shipments) < 2 or not progress.invoices:
        return
    owed = world.works.owed.get(order_key)
    slipped = owed.slipped if owed is not None else []
    _tell(
        world,
        "sale",
        f"From an opportunity to several shipments: {_name(world, order.customer)}",
        [
            (("opportunity", order.opportunity), "Sales saw that it might buy, and won it."),
            (("order", order_key), f"It ordered; {_promise(order.lines[0].promised_on)}."),
            *(
                (("production", each), "Production finished later than planned.")
                for each in slipped
            ),
            *((("shipment", each), "A part of it left.") for each in progress.shipments),
            *((("invoice", each), "It was charged.") for each in progress.invoices),
        ],
    )


def tell_lost_customer(world: World, lost: LostCustomer) -> None:
    """Keep the story of a customer that had its troubles with us and then ordered no more."""
    last = world.works.last_order.get(lost.customer)
    troubles = world.troubles.get(lost.customer, ())
    if last is None or len(troubles) < 3:
        return
    sentences = {"case": "It complained.", "call": "It called, and got no solution."}
    _tell(
        world,
        "lost_customer",
        f"Lost on {lost.on}, and nobody knew: {_name(world, lost.customer)}",
        [
            *((each, sentences[each[0]]) for each in troubles),
            (("order", last), f"Its last order. It left: {lost.why}."),
        ],
    )


def _tell(world: World, kind: str, title: str, telling: list[tuple[Named, str]]) -> None:
    told = world.market.told
    if told[kind] < _OF_EACH_KIND:
        told[kind] += 1
        world.truth.stories.append(Story(kind, title, tuple(telling)))


def _promise(promised_on: date | None) -> str:
    return f"it was promised for {promised_on}" if promised_on else "nothing was promised"


def _parts(invoice: Invoice) -> str:
    number = len(invoice.instalments)
    return f" in {number} instalments, the late one" if number > 1 else " with its tax"


def _name(world: World, customer: int) -> str:
    return world.buyers[customer].document.name.legal

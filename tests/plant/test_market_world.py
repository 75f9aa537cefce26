"""The market side of the plant: what is sold, ordered, charged and paid there holds together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from stdnum.cn import uscc

from hub.money import round_money
from plant.documents import (
    ERP,
    Allocation,
    Case,
    Customer,
    Document,
    Employee,
    Invoice,
    Opportunity,
    Order,
    Payment,
    Product,
    Shipment,
    Target,
)
from plant.market import billing
from plant.market.opening import open_plant
from plant.market.seasons import month_end
from plant.market.terms import beyond_policy
from plant.names.companies import Register
from plant.parameters import Parameters
from plant.playing import EACH_DAY
from plant.truth import LateInvoice, Truth
from plant.world import World
from tests.plant.collected import Collected, invoices, large, orders, payments, played, small


def test_playing_twice_tells_the_same() -> None:
    assert played(60, 12).stream == small().stream


def test_a_plant_played_until_an_earlier_day_is_the_beginning_of_the_same_plant() -> None:
    until = date(2024, 7, 17)
    earlier = played(60, 12, until).stream
    assert earlier == [each for each in small().stream if each[1].date() <= until]
    assert played(60, 24, until).stream == earlier


def test_an_invoice_may_be_corrected_whose_order_was_over_before_its_payment_bounced() -> None:
    parameters = Parameters.of(60, 6, 1)
    world = World(parameters, Collected(), Truth())
    world.play(open_plant, EACH_DAY)
    wrong = next(one for one in world.invoices.values() if one.order in world.orders)
    assert wrong.order is not None
    del world.orders[wrong.order], world.market.progress[wrong.order]
    right = replace(wrong, key=world.new_key("invoice"))
    billing.post(world, right, (wrong.order,), Decimal(0))
    assert world.invoices[right.key] is right


def test_another_seed_gives_another_plant() -> None:
    assert played(60, 1, seed=8).stream != played(60, 1).stream


def test_moments_only_grow() -> None:
    moments = [at for _, at in small().stream]
    assert all(earlier < later for earlier, later in pairwise(moments))


def fits_minor_unit(amount: Decimal, currency: str) -> bool:
    """Whether the amount has no digits below the minor unit of its currency."""
    return round_money(amount, currency) == amount


def test_totals_of_invoices_hold_together() -> None:
    kinds: dict[str, int] = defaultdict(int)
    for invoice in invoices(large()):
        kinds[invoice.kind] += 1
        assert invoice.net > 0 and invoice.gross > 0
        assert fits_minor_unit(invoice.net, invoice.currency)
        assert fits_minor_unit(invoice.gross, invoice.currency)
        assert invoice.net == sum(line.net for line in invoice.lines)
        taxed = invoice.net * Decimal("1.13") if invoice.currency == "CNY" else invoice.net
        assert abs(invoice.gross - taxed) <= Decimal("0.02")
        if invoice.kind == "invoice":
            assert sum(each.amount for each in invoice.instalments) == invoice.gross
            assert all(fits_minor_unit(e.amount, invoice.currency) for e in invoice.instalments)
            numbers = [each.number for each in invoice.instalments]
            assert numbers == list(range(1, len(numbers) + 1))
        for dispute in invoice.disputes:
            assert dispute.until is None or dispute.since <= dispute.until
    assert all(kinds[kind] > 10 for kind in ("invoice", "credit_note", "cancellation"))


def test_a_cancelled_invoice_has_exactly_one_cancellation_and_no_payment() -> None:
    cancelled = {each.key for each in invoices(large()) if each.status == "cancelled"}
    cancels = [each.cancels for each in invoices(large()) if each.kind == "cancellation"]
    assert sorted(cancelled) == sorted(each for each in cancels if each is not None)
    assert not cancelled & {each.invoice for _, _, each in allocations(large())}


def test_payments_come_in_all_kinds() -> None:
    kinds: dict[str, int] = defaultdict(int)
    for payment in payments(large()):
        kinds[payment.kind] += 1
        assert fits_minor_unit(payment.amount, payment.currency)
        assert (payment.amount < 0) == (payment.kind == "refund")
        allocated = sum(each.amount for each in payment.allocations)
        assert allocated <= max(payment.amount, Decimal(0))
        kinds["reversed"] += payment.reversed_on is not None
        kinds["of several"] += len({each.invoice for each in payment.allocations}) > 1
        kinds["allocated later"] += any(
            each.allocated_on > payment.received_on for each in payment.allocations
        )
    for kind in ("receipt", "refund", "write_off", "reversed", "of several", "allocated later"):
        assert kinds[kind] > 5, kind


def allocations(collected: Collected) -> Iterable[tuple[date, date | None, Allocation]]:
    """What reduces instalments: (from, until, what)."""
    for payment in payments(collected):
        for each in payment.allocations:
            yield max(payment.received_on, each.allocated_on), payment.reversed_on, each
    for invoice in invoices(collected):
        for each in invoice.allocations:
            yield max(invoice.invoiced_on, each.allocated_on), None, each


def test_late_are_exactly_the_instalments_that_were_open_after_their_due_date() -> None:
    collected = large()
    until = collected.stream[-1][1].date()
    reduced: dict[tuple[int, int], list[tuple[date, date | None, Decimal]]] = defaultdict(list)
    for since, reversed_on, each in allocations(collected):
        assert each.instalment is not None
        reduced[each.invoice, each.instalment].append((since, reversed_on, each.amount))
    cancelled_on = {
        each.cancels: each.invoiced_on for each in invoices(collected) if each.cancels is not None
    }
    late = set()
    for invoice in invoices(collected):
        if invoice.kind != "invoice":
            continue
        for instalment in invoice.instalments:
            of_it = reduced[invoice.key, instalment.number]
            # A payment that bounces opens the instalment again.
            looked_at = [instalment.due_on, *(back for _, back, _ in of_it if back is not None)]
            for day in looked_at:
                if not instalment.due_on <= day < until:
                    continue
                paid = sum(
                    amount
                    for since, back, amount in of_it
                    if since <= day and (back is None or back > day)
                )
                assert paid <= instalment.amount
                is_cancelled = invoice.key in cancelled_on and cancelled_on[invoice.key] <= day
                if paid < instalment.amount and not is_cancelled:
                    late.add((invoice.key, instalment.number))
    # What is from before the first day is told with it, or settled on that day.
    assert set(collected.truth.late) == late


def test_each_late_instalment_has_one_known_cause() -> None:
    causes: dict[str, int] = defaultdict(int)
    for (invoice, instalment), late in large().truth.late.items():
        assert (late.invoice, late.instalment) == (invoice, instalment)
        assert late.paid_on is None or late.paid_on > late.due_on
        causes[late.cause] += 1
    known = ("quality", "delivery", "after_sales", "credit", "sales_management", "other")
    assert set(causes) == set(known)
    assert all(count < 0.4 * sum(causes.values()) for count in causes.values())


def test_evidence_fits_its_cause() -> None:
    collected = large()
    found: dict[str, int] = defaultdict(int)
    for late in collected.truth.late.values():
        wrong = what_is_wrong_with(late, collected)
        assert wrong is None, f"{late}: {wrong}"
        found[late.cause] += 1
    assert min(found.values()) > 20


def what_is_wrong_with(late: LateInvoice, collected: Collected) -> str | None:
    """Why the evidence of a late instalment does not show its cause; None where it does."""
    invoice = collected.newest[Invoice][late.invoice]
    assert isinstance(invoice, Invoice)
    # Money of another order is held back, too, where that stands on the same invoice.
    orders = {line.order for line in invoice.lines}
    kinds = {
        kind: [key for each, key in late.evidence if each == kind] for kind, _ in late.evidence
    }
    cases = [collected.newest[Case][key] for key in kinds.get("case", ())]
    shipments = [collected.newest[Shipment][key] for key in kinds.get("shipment", ())]
    for each in (*cases, *shipments):
        assert isinstance(each, Case | Shipment)
        if each.customer != late.customer:
            return "it is another customer's"
    match late.cause:
        case "quality" | "delivery" | "after_sales":
            if any(isinstance(each, Case) and each.category != late.cause for each in cases):
                return "a case of another kind"
            if any(isinstance(each, Case) and each.order not in orders for each in cases):
                return "a case on another order"
            if late.cause == "delivery":
                return None if came_late(cases, shipments) else "nothing came late"
            return None if cases else "nobody complained"
        case "sales_management":
            return None if is_badly_billed(late, collected) else "the contract is in order"
        case "credit":
            named = (("invoice", late.invoice), ("customer", late.customer))
            return None if late.evidence == named else "it is not of the payer"
        case _:
            return None if late.evidence == (("invoice", late.invoice),) else "too much of it"


def came_late(cases: Sequence[Document], shipments: Sequence[Document]) -> bool:
    """Whether a shipment came after its promise, or somebody complained that the rest did not."""
    late = [
        each.promised_on is not None
        and each.delivered_on is not None
        and each.delivered_on > each.promised_on
        for each in shipments
        if isinstance(each, Shipment)
    ]
    return all(late) if late else bool(cases)


def is_badly_billed(late: LateInvoice, collected: Collected) -> bool:
    """Whether the invoice was contested, or goes by long terms that nobody reviewed."""
    invoice = collected.newest[Invoice][late.invoice]
    assert isinstance(invoice, Invoice)
    if late.evidence == (("invoice", late.invoice),):
        return bool(invoice.disputes) or invoice.status == "cancelled"
    named = [collected.newest[Order][key] for kind, key in late.evidence if kind == "order"]
    return beyond_policy(invoice.terms) and any(
        isinstance(order, Order) and not order.contract_reviewed for order in named
    )


def test_evidence_that_does_not_fit_is_found() -> None:
    collected = large()
    by_cause = {late.cause: late for late in collected.truth.late.values()}
    for one in by_cause.values():
        for other in by_cause.values():
            if one.cause != other.cause:
                swapped = replace(one, evidence=other.evidence)
                assert what_is_wrong_with(swapped, collected) is not None, (one, other)


def test_the_top_fifth_of_the_customers_brings_about_four_fifths_of_the_revenue() -> None:
    revenue: dict[int, Decimal] = defaultdict(Decimal)
    for invoice in invoices(large()):
        if invoice.status == "posted" and invoice.kind != "cancellation":
            sign = -1 if invoice.kind == "credit_note" else 1
            revenue[invoice.customer] += sign * invoice.net * invoice.rate
    ranked = sorted(revenue.values(), reverse=True)
    share = sum(ranked[: len(large().newest[Customer]) // 5]) / sum(ranked)
    assert Decimal("0.7") < share < Decimal("0.9")


def test_honest_salespeople_tell_what_comes_and_hopeful_ones_tell_more() -> None:
    collected = played(600, 24, seed=3)
    told: dict[tuple[int, bool], Decimal] = {}
    for document, _ in collected.stream:
        if isinstance(document, Opportunity) and document.stage == "propose":
            hopeful = document.owner in collected.truth.hopeful
            told.setdefault((document.key, hopeful), document.probability)
    ratios = {}
    for hopeful in (False, True):
        said = won = Decimal(0)
        for (key, is_hopeful), probability in told.items():
            newest = collected.newest[Opportunity][key]
            assert isinstance(newest, Opportunity)
            if is_hopeful == hopeful and newest.outcome is not None:
                said += probability
                won += newest.outcome == "won"
        ratios[hopeful] = said / won
    assert Decimal("0.85") < ratios[False] < Decimal("1.2")
    assert Decimal("1.35") < ratios[True] < Decimal("2.4")


def test_some_machine_orders_were_never_announced() -> None:
    truth = large().truth
    share = len(truth.unpiped) / (len(truth.unpiped) + len(truth.announced))
    assert 0.1 < share < 0.35
    assert not set(truth.unpiped) & set(truth.announced)


def test_some_orders_from_opportunities_do_not_name_them() -> None:
    known = {each.key: each for each in orders(large())}
    named = [known[order].opportunity is not None for order in large().truth.announced]
    assert 0.7 < sum(named) / len(named) < 0.97


def test_who_is_lost_orders_no_more() -> None:
    lost = large().truth.lost
    assert len(lost) > 15
    for order in orders(large()):
        if order.customer in lost:
            assert order.ordered_on < lost[order.customer].on


def test_the_erp_knows_a_customer_before_it_orders() -> None:
    known: set[int] = set()
    for document, _ in small().stream:
        if isinstance(document, Customer) and ERP in document.known_in:
            known.add(document.key)
        if isinstance(document, Order | Invoice | Payment):
            assert document.customer in known


def test_documents_name_what_was_recorded_before_them() -> None:
    seen: dict[type, set[int]] = defaultdict(set)
    for document, _ in small().stream:
        seen[type(document)].add(document.key)
        if isinstance(document, Order):
            assert document.salesperson in seen[Employee]
            assert {line.product for line in document.lines} <= seen[Product]
            assert document.opportunity is None or document.opportunity in seen[Opportunity]
        if isinstance(document, Invoice):
            ordered = {line.order for line in document.lines if line.order is not None}
            assert ordered <= seen[Order]
        if isinstance(document, Payment):
            assert {each.invoice for each in document.allocations} <= seen[Invoice]


def test_what_was_demanded_is_more_than_the_orders_and_not_what_they_say_of_most_months() -> None:
    ordered: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
    for order in orders(large()):
        if order.status != "cancelled" and not order.deleted:
            for line in order.lines:
                if not line.rejected:
                    place = (line.product, line.wanted_on.year, line.wanted_on.month)
                    ordered[place] += line.quantity
    demanded = {place: each for place, each in large().truth.demanded.items() if each}
    assert min(demanded.values()) > 0
    more = sum(demanded.values()) - sum(ordered.values())
    assert Decimal("0.03") < more / sum(ordered.values()) < Decimal("0.2")
    told = sum(quantity == ordered[place] for place, quantity in demanded.items())
    assert 0.1 < told / len(demanded) < 0.5


def test_who_pays_no_more_is_blocked_and_orders_no_more() -> None:
    blocked: set[int] = set()
    placed: set[int] = set()
    for document, _ in large().stream:
        if isinstance(document, Customer) and document.blocked:
            blocked.add(document.key)
        if isinstance(document, Order) and document.key not in placed:
            placed.add(document.key)
            assert document.customer not in blocked
    assert len(blocked) > 3


def test_more_orders_for_parts_come_on_the_last_days_of_a_quarter_than_of_a_month() -> None:
    last_days: dict[bool, list[int]] = {True: [], False: []}
    per_day: dict[date, int] = defaultdict(int)
    for order in orders(large()):
        per_day[order.ordered_on] += 1
    for year in (2024, 2025):
        for month in range(1, 13):
            days = [
                count for day, count in per_day.items() if (day.year, day.month) == (year, month)
            ]
            end = month_end(date(year, month, 1))
            late = sum(per_day[end - timedelta(days=back)] for back in range(4))
            # So many of a month's orders in a hundred.
            last_days[month % 3 == 0].append(100 * late // sum(days))
    assert sum(last_days[True]) / 8 > sum(last_days[False]) / 16


def test_stories_of_a_kind_are_about_different_orders_and_told_in_order() -> None:
    about = defaultdict(list)
    for story in large().truth.stories:
        keys = [key for (kind, key), _ in story.told if kind == "order"]
        about[story.kind].append(keys[0])
        if story.kind == "late_payment":
            told = [document for document, _ in story.told]
            first = dict(reversed(days_told(told)))
            days = [first[document] for document in told if document[0] != "production"]
            assert days == sorted(days), story
    assert set(about) == {"late_payment", "sale", "lost_customer"}
    for keys in about.values():
        assert len(set(keys)) == len(keys) > 1


def days_told(told: list[tuple[str, int]]) -> list[tuple[tuple[str, int], date]]:
    """When each of these documents happened."""
    days: list[tuple[tuple[str, int], date]] = []
    for document, _ in large().stream:
        named = (type(document).__name__.lower(), document.key)
        if named in told:
            match document:
                case Order():
                    days.append((named, document.ordered_on))
                case Case():
                    days.append((named, document.opened_at.date()))
                case Shipment() if document.dispatched_on is not None:
                    days.append((named, document.dispatched_on))
                case Invoice():
                    days.append((named, document.invoiced_on))
                case Payment():
                    days.append((named, document.received_on))
    return days


def test_orders_are_changed_cancelled_rejected_in_part_and_entered_twice() -> None:
    quantities: dict[tuple[int, int], set[Decimal]] = defaultdict(set)
    for document, _ in large().stream:
        if isinstance(document, Order):
            for line in document.lines:
                quantities[document.key, line.number].add(line.quantity)
    newest = orders(large())
    assert sum(len(each) > 1 for each in quantities.values()) > 20
    assert sum(order.status == "cancelled" for order in newest) > 10
    assert sum(line.rejected for order in newest for line in order.lines) > 5
    assert sum(order.deleted for order in newest) > 3
    assert len({order.currency for order in newest}) == 3


def test_targets_are_set_for_each_salesperson_and_month_and_some_late() -> None:
    months: dict[tuple[int, date], list[date]] = defaultdict(list)
    for document, at in small().stream:
        if isinstance(document, Target):
            months[document.salesperson, document.first].append(at.date())
    assert all(len(days) == 1 for days in months.values())
    late = sum(days[0] - first > timedelta(days=5) for (_, first), days in months.items())
    assert 0 < late < 0.3 * len(months)


def test_finished_business_leaves_the_world() -> None:
    collected = Collected()
    world = World(Parameters.of(60, 12, 7), collected, Truth())
    world.play(open_plant, EACH_DAY)
    assert set(world.invoices) == set(world.market.open_invoices)
    assert all(any(state.open.values()) for state in world.market.open_invoices.values())
    assert len(world.orders) < 0.4 * len(collected.newest[Order])
    assert set(world.orders) == set(world.market.progress)
    assert all(each.outcome is None for each in world.opportunities.values())


def test_companies_have_distinct_names_and_valid_tax_numbers() -> None:
    register, chance = Register(), Random(5)
    companies = [register.found(chance) for _ in range(5_000)]
    assert len({each.name.legal for each in companies}) == len(companies)
    assert len({each.country for each in companies}) == 7
    for each in companies:
        if each.country == "CN":
            uscc.validate(each.tax_id)
        assert each.phone[0] == "+" and 9 <= len(each.phone) - 1 <= 15
        assert each.name.latin.isascii() or each.country != "CN"


def test_people_change_teams_and_then_belong_to_that_team_and_its_unit() -> None:
    sellers = [each for each, _ in played(40, 24).stream if isinstance(each, Employee)]
    unit_of = {each.team: each.unit for each in sellers}
    before: dict[int, Employee] = {}
    moves = 0
    for each in sellers:
        assert each.unit == unit_of[each.team]
        moves += each.key in before and before[each.key].team != each.team
        before[each.key] = each
    assert moves > 0


def test_a_group_may_have_more_companies_than_there_are_words_for_them() -> None:
    register, chance = Register(), Random(5)
    parents = [register.found(chance) for _ in range(40)]
    for parent in {each.country: each for each in parents}.values():
        group = [register.subsidiary(chance, parent) for _ in range(400)]
        assert len({each.name.legal for each in [parent, *group]}) == 401


def test_a_twin_shares_the_city_and_nothing_that_would_identify_it() -> None:
    register, chance = Register(), Random(5)
    twins = 0
    for _ in range(300):
        company = register.found(chance)
        twin = register.twin(chance, company)
        if twin is not None:
            twins += 1
            assert twin.city == company.city
            assert twin.name.legal != company.name.legal
            assert twin.tax_id != company.tax_id and twin.phone != company.phone
    assert twins > 100

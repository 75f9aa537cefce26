"""Where the CRM says something else than the ERP, and what of it is told as the truth."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from plant.documents import CRM, ERP, Customer, Opportunity
from plant.systems.crm_credit import credit_kept, roughly
from plant.systems.numbers import Numbering, drawn, share
from plant.systems.telling import Told

#: Of the customers that both know, for each of city, credit limit and terms.
_CONTRADICTED = 0.025
_CITIES = ("上海", "苏州", "武汉", "成都", "青岛", "西安")
_TERMS = ("N30", "N60", "N90")
_PATIENCE = timedelta(days=60)


class Contradicting:
    """What salespeople wrote down differently, and the wins of which nothing came."""

    def __init__(self, numbering: Numbering, told: Told) -> None:
        self._numbering = numbering
        self._told = told
        self._told_of: set[tuple[int, str]] = set()
        self._won: dict[int, date] = {}
        self._ordered: set[int] = set()

    def heard(self, customer: Customer, day: date) -> dict[str, Any]:
        """What the CRM has of the customer's city, credit limit, rating and terms.

        Nothing for a city that it has like everybody, and for what it does not keep.
        """
        kept = credit_kept(self._numbering.seed, customer)
        heard: dict[str, Any] = {
            "city": None,
            "credit_limit": kept.limit,
            "rating": kept.rating,
            "terms": kept.terms,
        }
        for field, is_kept, true, false in (
            ("city", True, customer.city, self._city(customer)),
            ("credit_limit", kept.limit, customer.credit_limit, self._limit(customer)),
            ("terms", kept.terms, customer.terms.code, self._terms(customer)),
        ):
            if not is_kept or true == false or not self._contradicts(customer, field):
                continue
            heard[field] = false
            self._tell(customer, field, true, false, day)
        return heard

    def see(self, opportunity: Opportunity, day: date) -> None:
        """Remember a win until its order comes."""
        key, won = opportunity.key, opportunity.stage == "won" and not opportunity.deleted
        if won and key not in self._ordered:
            self._won.setdefault(key, day)
        else:
            self._won.pop(key, None)

    def ordered(self, opportunity: int) -> None:
        """The order for a win has come, or comes before the win was written down."""
        self._ordered.add(opportunity)
        self._won.pop(opportunity, None)

    def end_day(self, day: date) -> None:
        """On the first of a month tell of the wins for which no order has come in good time."""
        if day.day == 1:
            self._tell_wins(day)

    def finish(self, day: date) -> None:
        """Tell of the wins for which no order has come by the end."""
        self._tell_wins(day)

    def _tell_wins(self, day: date) -> None:
        for key, won_on in [each for each in self._won.items() if day - each[1] > _PATIENCE]:
            del self._won[key]
            self._told.contradictions.append(
                {
                    "what": "the CRM says won, and no order of the ERP names it",
                    "since": str(won_on),
                    "says": [{**self._numbering.named("opportunity", key), "stage": "won"}],
                }
            )

    def _contradicts(self, customer: Customer, field: str) -> bool:
        key = f"{self._numbering.seed}/crm/contradicts/{customer.key}/{field}"
        return ERP in customer.known_in and share(key) < _CONTRADICTED

    def _tell(self, customer: Customer, field: str, true: Any, false: Any, day: date) -> None:
        if (customer.key, field) in self._told_of:
            return
        self._told_of.add((customer.key, field))
        numbering = self._numbering
        self._told.contradictions.append(
            {
                "what": f"the ERP and the CRM have another {field.replace('_', ' ')}",
                "since": str(day),
                "says": [
                    {"source": ERP, "id": numbering.customer(ERP, customer.key), field: str(true)},
                    {"source": CRM, "id": numbering.customer(CRM, customer.key), field: str(false)},
                ],
            }
        )

    def _city(self, customer: Customer) -> str:
        others = [city for city in _CITIES if not customer.city.startswith(city)]
        return others[drawn(f"{self._numbering.seed}/city/{customer.key}") % len(others)]

    def _limit(self, customer: Customer) -> Decimal | None:
        return None if customer.credit_limit is None else roughly(customer.credit_limit * 4)

    def _terms(self, customer: Customer) -> str:
        others = [code for code in _TERMS if code != customer.terms.code]
        return others[drawn(f"{self._numbering.seed}/terms/{customer.key}") % len(others)]

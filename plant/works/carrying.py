"""The carriers, and how many days they take to a customer."""

from __future__ import annotations

from random import Random

from plant.chance import happens, lognormal
from plant.documents import Customer

_HOME = "CN"
_CARRIERS_HOME = ("德邦物流", "中铁物流", "顺丰快运", "安能物流")
_CARRIERS_ABROAD = ("COSCO Shipping", "Sinotrans", "DHL Global Forwarding")
_LATE = 0.07


def usual_days(customer: Customer, heavy: bool) -> int:
    """Return the days on the road that are reckoned with; ``heavy`` is a machine's transport."""
    if customer.country != _HOME:
        return 34 if heavy else 8
    return (4 if heavy else 2) + customer.key % 3


def real_days(chance: Random, customer: Customer, heavy: bool) -> int:
    """Return the days on the road of one shipment: mostly the usual ones, sometimes far more."""
    usual = usual_days(customer, heavy)
    days = round(usual * chance.uniform(0.7, 1.15))
    if happens(chance, _LATE):
        days += round(lognormal(chance, 7, 0.6))
    return max(1, days)


def carrier_for(chance: Random, customer: Customer) -> str:
    """Return who carries a shipment."""
    return chance.choice(_CARRIERS_HOME if customer.country == _HOME else _CARRIERS_ABROAD)

"""Where each system believes a customer to be: its own spelling, another site, or nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plant.documents import CRM, ERP, SERVICE, Customer
from plant.names.wording import words
from plant.systems.numbers import drawn, share

_WITHOUT_STREET = {ERP: 0.1, CRM: 0.25, SERVICE: 0.25}
_WITHOUT_POSTCODE = {ERP: 0.1, CRM: 0.3, SERVICE: 0.15}
#: Of the records with a street: that of a yard, a branch or whoever pays.
_ANOTHER_SITE = {ERP: 0.2, CRM: 0.35, SERVICE: 0.3}
_NUMBER = re.compile(r"\d+(?!.*\d)")
_LAST_DIGITS = re.compile(r"\d{1,2}(?!.*\d)")
_SHORTER = {
    "straße": "str.",
    "Street": "St",
    "Road": "Rd",
    "Lane": "Ln",
    "Drive": "Dr",
    "Avenue": "Ave",
    "Caddesi": "Cad.",
    "prospekt": "pr.",
    "Viale": "V.le",
    "Via": "V.",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Street and postcode as one system has them; nothing where it does not know."""

    street: str
    postcode: str


def address_in(key: str, system: str, customer: Customer) -> Address:
    """A customer's address in a system.

    Args:
        key: of the record: chance depends on it alone.
        system: one that keeps customers; the call centre has no addresses.
        customer: as it is.
    """
    if system not in _ANOTHER_SITE:
        return Address("", "")
    street, postcode = customer.street, customer.postcode
    if share(f"{key}/site") < _ANOTHER_SITE[system]:
        street, postcode = _other_site(key, customer)
    has_street = share(f"{key}/street") >= _WITHOUT_STREET[system]
    has_postcode = share(f"{key}/postcode") >= _WITHOUT_POSTCODE[system]
    return Address(
        street=_street(system, street, share(f"{key}/habit")) if has_street else "",
        postcode=postcode if has_postcode else "",
    )


def _other_site(key: str, customer: Customer) -> tuple[str, str]:
    """Another street and house in another district of the same city."""
    number = str(1 + drawn(f"{key}/number") % 180)
    district = f"{drawn(f'{key}/district') % 100:02d}"
    postcode = _LAST_DIGITS.sub(lambda found: district[: len(found[0])], customer.postcode)
    if customer.country == "CN":
        streets = words("companies_zh")["streets"]
        return f"{streets[drawn(f'{key}/road') % len(streets)]}{number}号", postcode
    return _NUMBER.sub(number, customer.street), postcode


def _street(system: str, street: str, habit: float) -> str:
    """A street as people of a system write it, two of whom do not write alike."""
    if street.endswith("号"):
        road, number = _NUMBER.sub("", street).removesuffix("号"), _NUMBER.findall(street)[0]
        if system == ERP:
            return street if habit < 0.6 else f"{road}{number}号院内"
        return f"{road} {number}" if habit < 0.6 else f"{number}号 {road}"
    if system == CRM:
        return street.upper() if habit < 0.3 else _shortened(street)
    return _shortened(street) if habit < 0.5 else street


def _shortened(street: str) -> str:
    for long, short in _SHORTER.items():
        street = street.replace(long, short)
    return street

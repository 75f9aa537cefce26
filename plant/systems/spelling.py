"""How each system spells a customer, and what it knows of who that is.

Every habit is decided by chance that depends on the seed, the system and the customer alone. What
lets two records be recognized as one company is there for part of them only: the same tax number,
telephone, e-mail or domain, the number in another system, or much the same name and address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from plant.documents import CALLS, CRM, ERP, SERVICE, Customer
from plant.names.wording import words
from plant.parameters import FIRST_DAY
from plant.systems.addresses import address_in
from plant.systems.numbers import drawn, share

#: In what share of its records a system has the number of the customer in the ERP.
_CROSS_REFERENCED = {CRM: 0.35, SERVICE: 0.3, CALLS: 0.2}
_WITH_TAX_ID = {ERP: 0.55, CRM: 0.35, SERVICE: 0.35, CALLS: 0.0}
_WITH_PHONE = {ERP: 0.8, CRM: 0.75, SERVICE: 0.6, CALLS: 0.95}
_WITH_EMAIL = {ERP: 0.45, CRM: 0.7, SERVICE: 0.55, CALLS: 0.15}
_WITH_DOMAIN = {ERP: 0.3, CRM: 0.6, SERVICE: 0.3, CALLS: 0.0}
_SECOND_PHONE = 0.3
_SHORTER = {"Construction": "Constr.", "Engineering": "Eng.", "Machinery": "Mach.", "Company": "Co"}


@dataclass(frozen=True, slots=True)
class Spelled:
    """A customer as one system writes it; nothing where the system does not know."""

    name: str
    tax_id: str
    phone: str
    email: str
    domain: str
    street: str
    postcode: str
    city: str
    cross_referenced: bool
    registered_on: date


def spelled(seed: int, system: str, customer: Customer, twin: int = 0) -> Spelled:
    """How a system spells a customer.

    Args:
        seed: of the plant.
        system: one that keeps customers.
        customer: as it is.
        twin: 1 for the second record of the same customer in the same system, typed by somebody
            who did not find the first.
    """
    key = f"{seed}/spelling/{system}/{customer.key}/{twin}"
    knows = [share(f"{key}/{what}") for what in ("tax", "phone", "email", "domain", "reference")]
    second = customer.second_phone
    address = address_in(key, system, customer)
    phone = second if second and share(f"{key}/second") < _SECOND_PHONE else customer.phone
    return Spelled(
        name=_name(system, customer, share(f"{key}/name"), twin),
        tax_id=customer.tax_id if knows[0] < _WITH_TAX_ID[system] else "",
        phone=_phone(system, phone) if knows[1] < _WITH_PHONE[system] else "",
        email=customer.email if knows[2] < _WITH_EMAIL[system] else "",
        domain=customer.domain or "" if knows[3] < _WITH_DOMAIN[system] else "",
        street=address.street,
        postcode=address.postcode,
        city=_city(system, customer.city),
        cross_referenced=knows[4] < _CROSS_REFERENCED.get(system, 0.0),
        registered_on=FIRST_DAY - timedelta(days=30 + drawn(f"{key}/registered") % 3000),
    )


def traditional(text: str) -> str:
    """The text in traditional characters."""
    return text.translate(_traditional())


def latin_city(city: str) -> str:
    """The city in Latin letters."""
    return _latin_cities().get(city, city)


def _name(system: str, customer: Customer, habit: float, twin: int) -> str:
    name = customer.name
    chinese = name.legal != name.latin
    core = name.legal.removeprefix(name.region).removesuffix(name.form).strip() or name.brand
    if system == ERP:
        if twin:
            return core if chinese else _shortened(name.latin)
        return name.legal
    if system == CRM:
        if habit < 0.45:
            return core
        if habit < 0.6:
            return name.legal.removeprefix(name.region) if chinese else name.legal.upper()
        return name.latin if habit < 0.85 else _without_place(name.latin, customer)
    if system == CALLS:
        if not chinese:
            return name.latin.upper() if habit < 0.6 else core
        return traditional(name.legal if habit < 0.55 else core)
    if not chinese:
        return name.latin if habit < 0.6 else _shortened(name.latin)
    without = _without_place(name.latin, customer)
    return without if habit < 0.6 else _shortened(without)


def _without_place(latin: str, customer: Customer) -> str:
    return latin.removeprefix(f"{latin_city(customer.city)} ")


def _shortened(latin: str) -> str:
    return " ".join(_SHORTER.get(word, word) for word in latin.replace(",", "").split())


def _phone(system: str, phone: str) -> str:
    if system == CALLS:
        return phone
    if not phone.startswith("+86"):
        return phone if system == CRM else f"00{phone[1:]}"
    local = phone.removeprefix("+86")
    if local.startswith("1") and len(local) == 11:
        grouped = f"{local[:3]} {local[3:7]} {local[7:]}"
        return grouped if system == ERP else f"+86 {grouped}"
    area = 2 if local[0] in "12" else 3
    if system == ERP:
        return f"0{local[:area]}-{local[area:]}"
    if system == CRM:
        return f"+86 {local[:area]} {local[area:]}"
    return f"+86 ({local[:area]}) {local[area:]}"


def _city(system: str, city: str) -> str:
    if system == CALLS:
        return traditional(city)
    if system == SERVICE:
        return latin_city(city)
    return city.removesuffix("市") if system == CRM else city


@cache
def _traditional() -> dict[int, str]:
    pairs = words("traditional")["pairs"].split()
    return {ord(pair[0]): pair[1] for pair in pairs}


@cache
def _latin_cities() -> dict[str, str]:
    return {place[0]: place[2] for place in words("companies_zh")["places"]}

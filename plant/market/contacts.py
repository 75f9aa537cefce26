"""The people at the customers."""

from __future__ import annotations

from plant.chance import poisson
from plant.documents import Contact, Customer
from plant.names.persons import person_name
from plant.names.wording import words
from plant.world import World

_USUAL = 1.9


def meet(world: World, customer: Customer) -> None:
    """Record the people whom somebody knows at a customer; the first of them leads the others."""
    chance = world.chance("contacts")
    language = language_of(customer.country)
    leader: int | None = None
    for _ in range(1 + poisson(chance, _USUAL)):
        name, latin = person_name(chance, language)
        role, influence = chance.choice(words("texts")["roles"])
        key = world.new_key("contact")
        prefix = customer.phone[:-7]
        domain = customer.domain or customer.email.partition("@")[2]
        contact = Contact(
            key=key,
            customer=customer.key,
            name=name,
            latin=latin,
            role=role,
            influence=influence,
            reports_to=leader,
            phone=f"{prefix}{chance.randrange(10**7):07d}",
            email=f"{_mailbox(latin)}{chance.randrange(100)}@{domain}",
        )
        world.record(contact)
        leader = leader or key


def language_of(country: str) -> str:
    """Return the language in which people of a country are named."""
    if country == "CN":
        return "zh"
    return str(words("companies_abroad")[country]["language"])


def _mailbox(latin: str) -> str:
    given, _, family = latin.partition(" ")
    plain = f"{given[:1]}.{family}".lower().replace(" ", "")
    return plain.encode("ascii", "ignore").decode()

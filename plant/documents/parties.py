"""Companies, the people in them, and ours."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of payment: months, then end of month, then days; in so many equal instalments.

    With more than one instalment each further one is due another 30 days later.
    """

    code: str
    months: int = 0
    end_of_month: bool = False
    days: int = 0
    instalments: int = 1


@dataclass(frozen=True, slots=True)
class Name:
    """What a company is called; which of it a system writes is that system's habit.

    ``legal`` is the full registered name, region and legal form included, ``brand`` what people
    say, ``latin`` the name in Latin letters (pinyin or English for a Chinese company).
    """

    legal: str
    brand: str
    latin: str
    region: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """A company as the commercial register and the telephone book know it."""

    name: Name
    tax_id: str
    country: str
    region: str
    city: str
    street: str
    postcode: str
    phone: str
    """E.164."""
    second_phone: str | None
    email: str
    domain: str | None
    industry: str
    currency: str


@dataclass(frozen=True, slots=True)
class Customer(Company):
    """A company that buys, or may."""

    key: int
    parent: int | None
    owner: int
    annual_spend: Decimal
    credit_limit: Decimal | None
    rating: str
    terms: Terms
    known_in: frozenset[str]
    """The systems in which it has a record by now."""
    blocked: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at a customer."""

    key: int
    customer: int
    name: str
    latin: str
    role: str
    influence: str
    """decides, recommends, uses or blocks."""
    reports_to: int | None
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody who sells, manages or mends."""

    key: int
    name: str
    latin: str
    team: str
    unit: str
    manager: int | None
    is_technician: bool = False

"""The numbers that each system gives: sequences of its own, which tell nothing of one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random

from plant.documents import CALLS, CRM, ERP, MES, SERVICE

_WHOLE = float(1 << 64)
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
#: Odd, so that multiplying with it is a permutation of the whole numbers below 2^52.
_FACTOR = 0x9E3779B97F4A7
_CRM_BITS = 52


def drawn(key: str) -> int:
    """Return a number from 0 to 2^64 − 1 that depends on ``key`` alone."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest())


def share(key: str) -> float:
    """Return a number from 0 to below 1 that depends on ``key`` alone."""
    return drawn(key) / _WHOLE


@dataclass(slots=True)
class Sequence:
    """Numbers in the order in which a system came to know things, with gaps as everywhere.

    ``key`` makes the gaps, ``first`` is where the sequence begins.
    """

    key: str
    first: int
    _given: dict[int, int] = field(default_factory=dict)
    _next: int = 0

    def of(self, thing: int) -> int:
        """Return the number of a thing; the next one where it has none yet."""
        found = self._given.get(thing)
        if found is None:
            self._next += 1 + drawn(f"{self.key}/{self._next}") % 9
            found = self._given[thing] = self.first + self._next
        return found

    def load(self, things: Iterable[int]) -> list[int]:
        """Give numbers to what stood in the system before the first day, in an order of its own.

        Returns:
            The things in the order of their numbers.
        """
        shuffled = sorted(things)
        Random(f"{self.key}/load").shuffle(shuffled)
        for thing in shuffled:
            self.of(thing)
        return shuffled


def crm_id(prefix: str, key: int, seed: int) -> str:
    """Return an id as the CRM makes them: 15 signs that mind case, and 3 that check it.

    Different keys give different ids, in no order.
    """
    number = (key * _FACTOR + drawn(f"{seed}/crm/{prefix}")) % (1 << _CRM_BITS)
    signs = []
    for _ in range(9):
        number, digit = divmod(number, 62)
        signs.append(_DIGITS[digit])
    text = f"{prefix}5g0{''.join(signs)}"
    checks = (
        _CHECKS[sum(1 << place for place in range(5) if text[begin + place].isupper())]
        for begin in (0, 5, 10)
    )
    return text + "".join(checks)


class Numbering:
    """What every document is called in the systems that have it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.customers = {
            ERP: Sequence(f"{seed}/erp/customers", 10_300),
            CALLS: Sequence(f"{seed}/calls/directory", 700_200),
            SERVICE: Sequence(f"{seed}/service/customers", 4_100),
        }
        self.customer_items = Sequence(f"{seed}/erp/organizations", 2_000)
        self.twins = Sequence(f"{seed}/erp/twins", 88_000)
        self.employees = {
            ERP: Sequence(f"{seed}/erp/employees", 1_000),
            SERVICE: Sequence(f"{seed}/service/technicians", 30),
        }
        self.products = {
            ERP: Sequence(f"{seed}/erp/items", 31_000),
            MES: Sequence(f"{seed}/mes/materials", 500_000),
        }
        self.technicians: set[int] = set()
        """Employees who are the service network's, not the ERP's."""
        self.codes: dict[int, str] = {}
        """Product codes of the ERP, which are also on the plates of the machines."""
        self._bills = {kind: 10_000 + drawn(f"{seed}/{kind}") % 50_000 for kind in _BILLS}

    def customer(self, system: str, key: int) -> str:
        """The number of a customer in one of its systems."""
        if system == CRM:
            return crm_id("001", key, self.seed)
        return f"{_CUSTOMER_SIGN[system]}{self.customers[system].of(key)}"

    def load_customers(self, system: str, keys: Iterable[int]) -> list[int]:
        """The customers that stood in a system on the first morning, by their numbers there."""
        if system == CRM:
            return sorted(keys, key=lambda key: self.customer(CRM, key))
        return self.customers[system].load(keys)

    def twin(self, key: int) -> str:
        """The number of the second record that the ERP has of a customer."""
        return f"{_CUSTOMER_SIGN[ERP]}{self.twins.of(key)}"

    def employee(self, system: str, key: int) -> str:
        """The number of an employee in one of its systems."""
        if system == CRM:
            return crm_id("005", key, self.seed)
        return f"{self.employees[system].of(key):04d}"

    def product(self, system: str, key: int) -> str:
        """The number of a product in the ERP or the MES."""
        if system == MES:
            return f"M{self.products[MES].of(key)}"
        return self.codes.get(key, f"?{key}")

    def bill(self, kind: str, key: int) -> str:
        """The number of an order, a shipment … in the one system that makes them."""
        prefix = _BILLS[kind]
        return f"{prefix}{self._bills[kind] + key:07d}"

    def crm(self, kind: str, key: int) -> str:
        """The id of a contact, lead, opportunity or visit in the CRM."""
        return crm_id(_CRM_PREFIXES[kind], key, self.seed)

    def named(self, document: str, key: int) -> dict[str, str]:
        """Name a document, of a type that stands in one system, as the hub does."""
        if document in _CRM_PREFIXES:
            return {"source": CRM, "id": self.crm(document, key)}
        if document in _BILLS:
            return {"source": _BILL_SYSTEMS[document], "id": self.bill(document, key)}
        if document == "product":
            return {"source": ERP, "id": self.product(ERP, key)}
        if document == "employee":
            return {"source": ERP, "id": self.employee(ERP, key)}
        raise KeyError(f"{document} is not named by its key alone")


_CUSTOMER_SIGN = {ERP: "KH", CALLS: "", SERVICE: "D-"}
_BILLS = {
    "order": "SEORD",
    "shipment": "XOUT",
    "invoice": "ZSEFP",
    "payment": "XSKD",
    "production": "WO-",
    "case": "F-",
    "service_visit": "E-",
    "equipment": "G-",
    "call": "C",
}
_BILL_SYSTEMS = {
    "order": ERP,
    "shipment": ERP,
    "invoice": ERP,
    "payment": ERP,
    "production": MES,
    "case": SERVICE,
    "service_visit": SERVICE,
    "equipment": SERVICE,
    "call": CALLS,
}
_CRM_PREFIXES = {"contact": "003", "lead": "00Q", "opportunity": "006", "visit": "00U"}

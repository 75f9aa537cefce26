"""What a plant is made from: its size, its length and its seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

#: The first day of every plant; what is older stands in its opening balances.
FIRST_DAY = date(2024, 1, 1)
#: A hundred years.
LONGEST_MONTHS = 1200


@dataclass(frozen=True, slots=True)
class Parameters:
    """One plant; the same values give the same bytes.

    ``until`` is the last day that is played. A plant played until an earlier day is the beginning
    of the same plant: each of its export files begins with the same bytes.
    """

    customers: int
    months: int
    seed: int
    until: date

    @classmethod
    def of(cls, customers: int, months: int, seed: int, until: date | None = None) -> Parameters:
        """Return the parameters of a plant of ``months`` whole months, or of those ``until`` a day.

        Raises:
            ValueError: a number is below 1, there are too many months, or ``until`` is not
                within them.
        """
        for name, value in (("customers", customers), ("months", months)):
            if value < 1:
                raise ValueError(f"{name} is {value}; it is 1 or more")
        if months > LONGEST_MONTHS:
            raise ValueError(f"months is {months}; it is {LONGEST_MONTHS} at most")
        end = last_day(months)
        until = end if until is None else until
        if not FIRST_DAY <= until <= end:
            raise ValueError(f"until is {until}; it is from {FIRST_DAY} to {end}")
        return cls(customers, months, seed, until)


def last_day(months: int) -> date:
    """Return the last day of the plant's month ``months``, counted from 1."""
    years, month = divmod(FIRST_DAY.month - 1 + months, 12)
    return date(FIRST_DAY.year + years, month + 1, 1) - timedelta(days=1)

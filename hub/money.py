"""The one place where money is rounded: half up, to the digits of ISO 4217."""

import decimal
from decimal import ROUND_HALF_UP, Context, Decimal

from schemas.currencies import DIGITS

# Avro decimals here have 38 digits; the default context (28) would refuse to round large ones.
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_UP)


def minor_digits(currency: str) -> int | None:
    """Digits after the point that ISO 4217 gives ``currency``; None for an unknown code."""
    return DIGITS.get(currency)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round ``amount`` half up to the minor unit of ``currency``.

    Raises:
        ValueError: ``currency`` is no code of ISO 4217.
    """
    digits = minor_digits(currency)
    if digits is None:
        raise ValueError(f"{currency!r} is no currency code of ISO 4217")
    return round_half_up(amount, digits)


def round_half_up(value: Decimal, digits: int) -> Decimal:
    """Round ``value`` half up (away from zero at the half) to ``digits`` after the point."""
    return value.quantize(Decimal(1).scaleb(-digits), context=_CONTEXT)


def use_exact_arithmetic() -> None:
    """Let this thread, and every one that starts after, add 38-digit amounts without rounding."""
    decimal.DefaultContext.prec = _CONTEXT.prec
    decimal.setcontext(Context(prec=_CONTEXT.prec))

"""The one place where money is rounded: half up, to the digits of ISO 4217."""

import decimal
from decimal import ROUND_HALF_UP, Context, Decimal

# Avro decimals here have 38 digits; the default context (28) would refuse to round large ones.
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_UP)

_TWO_DIGITS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
# Withdrawn, but found in the exports of systems that keep their history.
_WITHDRAWN_TWO_DIGITS = "ANG BGN CUC DEM HRK LTL LVL MRO SLL STD VEF ZWL"

_NO_DIGITS = "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS = "CLF UYW"

_DIGITS: dict[str, int] = {
    **dict.fromkeys((_TWO_DIGITS + _WITHDRAWN_TWO_DIGITS).split(), 2),
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
    **dict.fromkeys(_FOUR_DIGITS.split(), 4),
}


def minor_digits(currency: str) -> int | None:
    """Digits after the point that ISO 4217 gives ``currency``; None for an unknown code."""
    return _DIGITS.get(currency)


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


def fits_minor_unit(amount: Decimal, currency: str) -> bool:
    """Whether ``amount`` has no digits below the minor unit of ``currency`` (unknown: False)."""
    digits = minor_digits(currency)
    return digits is not None and round_half_up(amount, digits) == amount


def use_exact_arithmetic() -> None:
    """Let this thread, and every one that starts after, add 38-digit amounts without rounding."""
    decimal.DefaultContext.prec = _CONTEXT.prec
    decimal.setcontext(Context(prec=_CONTEXT.prec))

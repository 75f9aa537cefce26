"""The currencies of ISO 4217 and how many digits each has after the point."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
# Withdrawn since 1999, but found in the exports of systems that keep their history.
_TWO_WITHDRAWN = """
ANG ATS BEF BGN CHC CUC CYP DEM EEK ESP FIM FRF GRD HRK IEP LTL LVL MRO MTL NLG ROL SIT SKK SLL STD
TRL VEB VEF YUM ZMK ZWL
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_NONE_WITHDRAWN = "BYR ITL PTE"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

DIGITS: Mapping[str, int] = MappingProxyType(
    dict.fromkeys((_TWO + _TWO_WITHDRAWN).split(), 2)
    | dict.fromkeys((_NONE + " " + _NONE_WITHDRAWN).split(), 0)
    | dict.fromkeys(_THREE.split(), 3)
    | dict.fromkeys(_FOUR.split(), 4)
)
"""Digits after the point by currency code."""

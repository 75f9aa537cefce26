"""Companies: their names in Chinese and Latin letters, addresses, telephones and tax numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from random import Random
from typing import Any

from plant.chance import Weighted, happens
from plant.documents import Company, Name
from plant.names.tax_ids import credit_code, foreign_tax_id
from plant.names.wording import characters, words

_CHINESE_SHARE = 0.78
_NUMBERED_SHARE = 0.04
#: How often a name is made anew until it says more.
_TRIES = 30


@dataclass(frozen=True, slots=True)
class _Place:
    city: str
    region: str
    latin: str
    postcode: str
    area: str
    division: str


class Register:
    """The commercial registers of the world: no two companies in them have the same name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def found(self, chance: Random) -> Company:
        """Return a new company that belongs to nobody else."""
        if not happens(chance, _CHINESE_SHARE):
            return self._abroad(chance, _countries().draw(chance), None)
        if happens(chance, _NUMBERED_SHARE):
            numbered = self._numbered(chance)
            if numbered is not None:
                return numbered
        return self._chinese(chance, _places().draw(chance), _brand(chance), None)

    def subsidiary(self, chance: Random, parent: Company) -> Company:
        """Return a new company of the group of ``parent``: its brand, often its switchboard."""
        if parent.country == "CN":
            near = happens(chance, 0.4)
            place = _place_of(parent) if near else _places().draw(chance)
            company = self._chinese(
                chance, place, (parent.name.brand, _latin_brand(parent)), parent.domain
            )
        else:
            company = self._abroad(chance, parent.country, parent)
        if happens(chance, 0.4):
            company = replace(company, phone=parent.phone)
        return company

    def twin(self, chance: Random, other: Company) -> Company | None:
        """Return another company in the same city whose name differs little; None if hard to find.

        It has nothing to do with ``other``: a trap for whoever goes by names.
        """
        if other.country != "CN" or len(other.name.brand) != 2:
            return None
        pairs = _characters()
        changed, latin = chance.choice(pairs)
        first = other.name.brand[0]
        first_latin = next((each for character, each in pairs if character == first), "")
        if not first_latin or changed == other.name.brand[1]:
            return None
        brand = (first + changed, (first_latin + latin).title())
        trade = next((each for each in _trades() if each[0] in other.name.legal), None)
        return self._chinese(chance, _place_of(other), brand, None, trade)

    def _chinese(
        self,
        chance: Random,
        place: _Place,
        brand: tuple[str, str],
        domain: str | None,
        trade: Any = None,
    ) -> Company:
        while True:
            word, word_latin, industry, _ = trade or _trade(chance)
            form, form_latin = _form(chance)
            prefix = _prefix(chance, place)
            legal = f"{prefix}{brand[0]}{word}{form}"
            if self._take(legal):
                break
            trade, brand = None, brand if happens(chance, 0.7) else _brand(chance)
        latin = f"{place.latin} {brand[1]} {word_latin} {form_latin}"
        name = Name(legal, brand[0], latin, prefix, form)
        return self._located(chance, name, place, brand[1].lower(), domain, industry)

    def _numbered(self, chance: Random) -> Company | None:
        known = words("companies_zh")
        place = _places().draw(chance)
        number, number_latin = chance.choice(known["numbers"])
        trade, trade_latin, industry = chance.choice(known["numbered_trades"])
        prefix = place.city.removesuffix("市")
        legal = f"{prefix}第{number}{trade}有限公司"
        if not self._take(legal):
            return None
        latin = f"{place.latin} {number_latin} {trade_latin} Co., Ltd."
        name = Name(legal, f"{prefix}{number}{trade[0]}", latin, prefix, "有限公司")
        stem = f"{place.latin}{number_latin}".lower()
        return self._located(chance, name, place, stem, None, industry)

    def _located(
        self,
        chance: Random,
        name: Name,
        place: _Place,
        stem: str,
        domain: str | None,
        industry: str,
    ) -> Company:
        known = words("companies_zh")
        if domain is None and happens(chance, 0.55):
            domain = self._domain(stem, place.latin.lower(), chance.choice(("com", "cn", "com.cn")))
        mobile = f"+86{chance.choice(known['mobile_prefixes'])}{chance.randrange(10**8):08d}"
        phone = f"+86{place.area}{chance.randrange(2 * 10**7, 9 * 10**7)}"
        free = f"{stem}{chance.randrange(100, 10000)}@{chance.choice(known['free_mail'])}"
        return Company(
            name=name,
            country="CN",
            region=place.region,
            city=place.city,
            street=f"{chance.choice(known['streets'])}{chance.randrange(1, 999)}号",
            postcode=place.postcode,
            phone=phone if happens(chance, 0.7) else mobile,
            second_phone=mobile if happens(chance, 0.5) else None,
            email=free if domain is None else f"{_mailbox(chance)}@{domain}",
            domain=domain,
            tax_id=credit_code(chance, place.division),
            industry=industry,
            currency="CNY",
        )

    def _abroad(self, chance: Random, country: str, parent: Company | None) -> Company:
        known = words("companies_abroad")[country]
        city, region, postcode, area = chance.choice(known["cities"])
        for attempt in count():
            parts, trade = _parts(chance, known), chance.choice(known["trades"])
            shape = "{brand} {trade}" if parent else chance.choice(known["shapes"])
            # A large group has more companies than there are trades and legal forms.
            if attempt >= _TRIES:
                shape += " {place}"
            if attempt >= 2 * _TRIES:
                shape += f" {attempt}"
            brand = parent.name.brand if parent else parts["coined"]
            if parent is None and "{family}" in shape:
                brand = parts["family"]
            full = shape.format(brand=brand, place=city, trade=trade[0], **parts)
            form = chance.choice(known["forms"])
            legal = f"{form} {full}" if known.get("form_first") else f"{full} {form}"
            if self._take(legal):
                break
        domain = parent.domain if parent else None
        if domain is None and happens(chance, 0.8):
            domain = self._domain(_ascii(brand), _ascii(city), known["domain"])
        area_code = f"+{known['prefix']}{area}"
        digits = known["digits"]
        number = f"{area_code}{chance.randrange(2 * 10 ** (digits - 1), 10**digits)}"
        second = f"{area_code}{chance.randrange(2 * 10 ** (digits - 1), 10**digits)}"
        street, house = chance.choice(known["streets"]), chance.randrange(1, 180)
        return Company(
            name=Name(legal, brand, legal, "", form),
            country=country,
            region=region,
            city=city,
            street=f"{house} {street}" if country in ("GB", "US") else f"{street} {house}",
            postcode=postcode,
            phone=number,
            second_phone=second if happens(chance, 0.4) else None,
            email=_email(chance, brand, domain),
            domain=domain,
            tax_id=foreign_tax_id(chance, country),
            industry=trade[1],
            currency=known["currency"],
        )

    def _domain(self, stem: str, city: str, ending: str) -> str:
        for name in (stem, f"{stem}-{city}", f"{city}{stem}"):
            if self._take(f"{name}.{ending}"):
                return f"{name}.{ending}"
        number = 2
        while not self._take(f"{stem}{number}.{ending}"):
            number += 1
        return f"{stem}{number}.{ending}"

    def _take(self, name: str) -> bool:
        if name in self._taken:
            return False
        self._taken.add(name)
        return True


def _brand(chance: Random) -> tuple[str, str]:
    chosen = chance.sample(_characters(), 3 if happens(chance, 0.2) else 2)
    return "".join(each for each, _ in chosen), "".join(latin for _, latin in chosen).title()


def _latin_brand(company: Company) -> str:
    latin = dict(_characters())
    return "".join(latin.get(character, "") for character in company.name.brand).title()


def _prefix(chance: Random, place: _Place) -> str:
    drawn = chance.random()
    if drawn < 0.45:
        return place.city
    return place.city.removesuffix("市") if drawn < 0.75 else place.region


def _mailbox(chance: Random) -> str:
    return chance.choice(("info", "office", "purchasing", "sales", "contact", "admin"))


def _email(chance: Random, brand: str, domain: str | None) -> str:
    if domain is not None:
        return f"{_mailbox(chance)}@{domain}"
    return f"{_ascii(brand)}{chance.randrange(10, 1000)}@gmail.com"


_ASCII = str.maketrans(
    dict(zip("äöüßşçğı", ("ae", "oe", "ue", "ss", "s", "c", "g", "i"), strict=True))
    | dict.fromkeys(" '&+.-", "")
)


def _ascii(text: str) -> str:
    lowered = text.replace("İ", "i").lower().translate(_ASCII)
    return lowered.encode("ascii", "ignore").decode()


def _parts(chance: Random, known: Any) -> dict[str, str]:
    family, other = chance.sample(known["families"], 2)
    coined = chance.choice(known["heads"]) + chance.choice(known["tails"])
    return {"family": family, "other": other, "coined": coined}


def _place_of(company: Company) -> _Place:
    return _places_by_city()[company.city]


@cache
def _places_by_city() -> dict[str, _Place]:
    return {row[0]: _Place(*row[:6]) for row in words("companies_zh")["places"]}


@cache
def _places() -> Weighted[_Place]:
    return Weighted((_Place(*row[:6]), row[6]) for row in words("companies_zh")["places"])


@cache
def _countries() -> Weighted[str]:
    return Weighted((code, each["weight"]) for code, each in words("companies_abroad").items())


@cache
def _characters() -> list[tuple[str, str]]:
    return characters(words("companies_zh")["characters"])


def _trades() -> Any:
    return words("companies_zh")["trades"]


@cache
def _weighted_trades() -> Weighted[Any]:
    return Weighted((each, each[3]) for each in _trades())


def _trade(chance: Random) -> Any:
    return _weighted_trades().draw(chance)


@cache
def _weighted_forms() -> Weighted[tuple[str, str]]:
    return Weighted(
        ((form, latin), weight) for form, latin, weight in words("companies_zh")["forms"]
    )


def _form(chance: Random) -> tuple[str, str]:
    return _weighted_forms().draw(chance)

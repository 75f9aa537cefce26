"""Names of people, by their language."""

from __future__ import annotations

from functools import cache
from random import Random

from plant.names.wording import characters, words


def person_name(chance: Random, language: str) -> tuple[str, str]:
    """Return a person's name and how it is written in Latin letters.

    ``language`` is zh, de, en, it, tr or ru.
    """
    if language == "zh":
        return _chinese(chance)
    known = words("persons")[language]
    name = f"{chance.choice(known['given'])} {chance.choice(known['families'])}"
    return name, name


def _chinese(chance: Random) -> tuple[str, str]:
    families, given = _chinese_words()
    family, family_latin = chance.choice(families)
    first, first_latin = chance.choice(given)
    if chance.random() < 0.2:
        return family + first, f"{first_latin.title()} {family_latin}"
    second, second_latin = chance.choice(given)
    return family + first + second, f"{(first_latin + second_latin).title()} {family_latin}"


@cache
def _chinese_words() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    known = words("persons")["zh"]
    return characters(known["families"]), characters(known["given"])

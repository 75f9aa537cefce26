"""The words from which names and texts are made: the YAML files in plant/names/words."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_LATIN_AFTER_CHARACTER = re.compile(r"([^\x00-\x7f\s])([A-Za-zü]+)")


@cache
def words(name: str) -> Any:
    """Return the content of plant/names/words/``name``.yaml."""
    text = files("plant").joinpath("names", "words", f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def characters(text: str) -> list[tuple[str, str]]:
    """Return the (character, pinyin) pairs of a text such as ``恒heng 通tong``."""
    return _LATIN_AFTER_CHARACTER.findall(text)

"""Reads mapping files: YAML whose plain words stay words (no, on, 0123, 2026-01-01)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from connectors.mapping.problems import MappingError, MappingProblem


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core scalars only, and no key twice."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML declares it

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands here twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile("^[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(0|[1-9][0-9]*)\.[0-9]+$"),
    list("-+0123456789"),
)


def read_yaml(text: str, origin: str) -> dict[Any, Any]:
    """Parse a mapping file's text.

    Raises:
        MappingError: it is no YAML mapping; the message names line and column.
    """
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise MappingError(origin, [MappingProblem("", str(error))]) from error
    if not isinstance(document, dict):
        problem = MappingProblem("", "expected keys such as streams: and events:")
        raise MappingError(origin, [problem])
    return document


def read_yaml_file(path: Path) -> str:
    """The text of a mapping file.

    Raises:
        MappingError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(str(path), [MappingProblem("", str(error))]) from error

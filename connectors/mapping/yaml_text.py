"""Reads mapping files: YAML whose plain words stay words, and where each of them stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from connectors.mapping.problems import MappingError, MappingProblem, Spot

#: What a draft leaves for a person to fill in.
TODO = "TODO"

_INDEX = re.compile(r"^\[(\d+)\]")


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core scalars only (no, on, 0123, 2026-01-01 are texts), and no key twice."""

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


@dataclass(frozen=True, slots=True)
class Written:
    """A mapping as it is written, with what it extends: the YAML and the texts of its files.

    What it names by a relative path is looked for in ``folder``.
    """

    origin: str
    node: yaml.MappingNode
    texts: Mapping[str, str]
    folder: Path = Path()

    def document(self) -> dict[Any, Any]:
        """The mapping as plain values.

        Raises:
            MappingError: a key stands twice, or is no word.
        """
        try:
            document: dict[Any, Any] = _Loader("").construct_document(self.node)
        except yaml.YAMLError as error:
            raise MappingError(self.origin, [_problem_of(error, self.texts)]) from error
        return document

    def placed(self, problem: MappingProblem) -> MappingProblem:
        """The problem with its line: that of the deepest part of its path that is there."""
        if problem.spot is not None or not problem.path:
            return problem
        key, node, whole = _found(self.node, problem.path)
        at = key
        if problem.key is not None and isinstance(node, yaml.MappingNode):
            at = next((each for each, _ in node.value if each.value == problem.key), key)
        elif whole and isinstance(node, yaml.ScalarNode):
            at = node
        return replace(problem, spot=self._spot(at))

    def left_to_do(self) -> list[MappingProblem]:
        """Each place where a draft left ``TODO``, with the comment of its line."""
        problems = []
        for path, node in _scalars(self.node, ""):
            if node.value == TODO:
                spot = self._spot(node)
                said = spot.text[spot.column - 1 :].partition("#")[2].strip()
                problems.append(MappingProblem(path, f"TODO: {said or 'fill this in'}", None, spot))
        return problems

    def _spot(self, node: yaml.Node) -> Spot:
        return _spot_of(node.start_mark, self.texts)


def compose(text: str, origin: str) -> Written:
    """Read the YAML text of one mapping file.

    Raises:
        MappingError: it is no YAML mapping; the problem has line and column.
    """
    texts = {origin: text}
    try:
        loader = _Loader(text)
        loader.name = origin
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise MappingError(origin, [_problem_of(error, texts)]) from error
    if not isinstance(node, yaml.MappingNode):
        problem = MappingProblem("", "expected keys such as streams: and events:")
        raise MappingError(origin, [problem])
    return Written(origin, node, texts)


def read_yaml_file(path: Path) -> str:
    """The text of a mapping file.

    Raises:
        MappingError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        problem = MappingProblem("", f"cannot be read: {error.strerror}")
        raise MappingError(str(path), [problem]) from error
    except UnicodeDecodeError as error:
        problem = MappingProblem("", f"is not written in UTF-8: {error}")
        raise MappingError(str(path), [problem]) from error


def _problem_of(error: yaml.YAMLError, texts: Mapping[str, str]) -> MappingProblem:
    mark = getattr(error, "problem_mark", None)
    if mark is None or mark.name not in texts:
        return MappingProblem("", str(error))
    said = (getattr(error, "context", None), getattr(error, "problem", None))
    words = ", ".join(part for part in said if part)
    return MappingProblem("", words, None, _spot_of(mark, texts))


def _spot_of(mark: yaml.Mark, texts: Mapping[str, str]) -> Spot:
    lines = texts[mark.name].split("\n")
    text = lines[mark.line] if mark.line < len(lines) else ""
    return Spot(mark.name, mark.line + 1, mark.column + 1, text.rstrip("\r"))


def _found(root: yaml.Node, path: str) -> tuple[yaml.Node, yaml.Node, bool]:
    """The key and the value of the deepest part of ``path`` that is there, and if it is all."""
    key: yaml.Node = root
    node, rest = root, path
    above = root
    while rest:
        # The options of an operator stand beside it, not below.
        step = _step(node, rest.removeprefix(".")) or _step(above, rest.removeprefix("."))
        if step is None:
            return key, node, False
        above = node
        key, node, rest = step
    return key, node, True


def _step(node: yaml.Node, rest: str) -> tuple[yaml.Node, yaml.Node, str] | None:
    index = _INDEX.match(rest)
    if isinstance(node, yaml.SequenceNode) and index is not None:
        position = int(index[1])
        if position >= len(node.value):
            return None
        return node.value[position], node.value[position], rest[index.end() :]
    if not isinstance(node, yaml.MappingNode):
        return None
    # A key may hold dots itself: the longest that fits is meant.
    fitting = [
        (key, value)
        for key, value in node.value
        if rest.startswith(str(key.value)) and rest[len(str(key.value)) :][:1] in ("", ".", "[")
    ]
    if not fitting:
        return None
    key, value = max(fitting, key=lambda pair: len(str(pair[0].value)))
    return key, value, rest[len(str(key.value)) :]


def _scalars(node: yaml.Node, path: str) -> Iterator[tuple[str, yaml.ScalarNode]]:
    if isinstance(node, yaml.ScalarNode):
        yield path, node
    elif isinstance(node, yaml.SequenceNode):
        for position, each in enumerate(node.value):
            yield from _scalars(each, f"{path}[{position}]")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, f"{path}.{key.value}" if path else str(key.value))

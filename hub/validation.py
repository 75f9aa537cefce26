"""Configuration errors that name the key, what was found there and what is allowed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

_SHOWN_LENGTH = 80
_SECRET_KEYS = frozenset({"password", "database", "registry", "url", "headers", "secret"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong key: its dotted name, the value found (as text) and what would be allowed."""

    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.key}: found {self.found}; allowed: {self.allowed}"


class SettingsError(Exception):
    """Configuration that can't be used; ``problems`` holds every wrong key at once."""

    def __init__(self, origin: str, problems: Iterable[Problem]) -> None:
        self.origin = origin
        self.problems = tuple(problems)
        super().__init__("\n  ".join([f"{origin} can't be used:", *map(str, self.problems)]))


def from_pydantic(
    origin: str, error: ValidationError, allowed: Mapping[str, str] | None = None
) -> SettingsError:
    """Turn pydantic's errors into ours.

    Args:
        origin: where the values came from, such as the path of headrace.yaml.
        error: what pydantic raised.
        allowed: texts for keys that say better than pydantic what is allowed; list
            positions are left out of these keys (``sources.kind``).
    """
    texts = allowed or {}
    return SettingsError(origin, [_problem(dict(entry), texts) for entry in error.errors()])


def _problem(entry: dict[str, Any], allowed: Mapping[str, str]) -> Problem:
    # Tags of discriminated unions stand in angle brackets in our models: no part of the key.
    path = [part for part in entry["loc"] if not str(part).startswith("<")]
    if entry["type"] == "kind":
        path.append("kind")
        entry = {**entry, "input": entry["input"].get("kind")}
    key = ".".join(map(str, path))
    general = ".".join(part for part in map(str, path) if not part.isdigit())
    if entry["type"] == "extra_forbidden":
        return Problem(key, _shown(path, entry["input"]), "no key of this name (is it misspelt?)")
    found = "nothing" if entry["type"] == "missing" else _shown(path, entry["input"])
    return Problem(key or "(the whole file)", found, allowed.get(general) or _expected(entry))


def _expected(entry: dict[str, Any]) -> str:
    context = entry.get("ctx", {})
    if "expected" in context:
        return str(context["expected"])
    if entry["type"] == "missing":
        return "a value (this key is required)"
    text = str(entry["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    return text.removeprefix("Assertion failed, ")


def _masked(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: "***" if key in _SECRET_KEYS else _masked(found[key]) for key in found}
    return [_masked(one) for one in found] if isinstance(found, list) else found


def _shown(path: list[Any], found: Any) -> str:
    if any(str(part) in _SECRET_KEYS for part in path):
        return "a value that is not shown, since it may hold a password"
    text = repr(_masked(found))
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"

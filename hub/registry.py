"""The client of a registry that is not ours: the hub's contracts stand there under their own ids.

The ids on the wire are fixed in the catalogue, so the registry has to have the same ones: they are
imported, or it is said which of them is taken by what. See docs/registry.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from schemas.canonical import meaning, read_json
from schemas.versions import CONTRACT_MODE, ContractVersion

_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_SECONDS = 10.0
_NOT_FOUND = 404


class RegistryUnreachable(Exception):
    """The registry does not answer, or fails."""


class RegistryRefused(Exception):
    """The registry refuses what the hub needs of it; the message says what to do."""


class OutsideRegistry:
    """A registry with Confluent's interface, at ``url``; used as a context manager.

    A user and a password may stand in the address. Every method raises RegistryUnreachable where
    the registry does not answer, and RegistryRefused where it refuses.
    """

    def __init__(self, url: str) -> None:
        self.name = re.sub(r"//[^/@]*@", "//", url).rstrip("/")
        self._client = httpx.Client(
            base_url=url, timeout=_SECONDS, headers={"Accept": _MEDIA_TYPE}, follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def subjects(self) -> list[str]:
        """Return the subjects, sorted."""
        return sorted(self._ask("GET", "/subjects"))

    def newest(self, subject: str) -> tuple[int, int]:
        """Return number and schema id of the newest version of a subject."""
        found = self._ask("GET", f"{_path(subject)}/versions/latest")
        return int(found["version"]), int(found["id"])

    def check(self, subject: str, schema: str) -> list[str]:
        """Return why a schema may not follow those of a subject, in the registry's words."""
        found = self._ask(
            "POST",
            f"/compatibility{_path(subject)}/versions",
            {"schema": schema},
            params={"verbose": "true"},
            absent={"is_compatible": True},
        )
        told = [str(message) for message in found.get("messages") or ()]
        return [] if found["is_compatible"] else told or ["It is incompatible."]

    def register(self, subject: str, schema: str) -> int:
        """Return the id of a schema under a subject, registered if need be."""
        found = self._ask("POST", f"{_path(subject)}/versions", {"schema": schema})
        return int(found["id"])

    def ensure(self, contracts: Mapping[str, Sequence[ContractVersion]]) -> list[ContractVersion]:
        """See that every version of the contracts stands there under our id; returns the imported.

        A subject that lacks one is put into the mode IMPORT for that moment; what may follow is
        then bound to FULL_TRANSITIVE.
        """
        imported = []
        for subject, versions in contracts.items():
            missing = self.lacks({subject: versions})
            if missing:
                with self._importing(subject):
                    for one in missing:
                        self._import(one)
            imported += missing
            self._bind(subject)
        return imported

    def lacks(self, contracts: Mapping[str, Sequence[ContractVersion]]) -> list[ContractVersion]:
        """Return the versions of the contracts that do not stand there; nothing is changed."""
        return [one for versions in contracts.values() for one in versions if not self._holds(one)]

    def _holds(self, version: ContractVersion) -> bool:
        """Whether the subject has this version under our id.

        Raises:
            RegistryRefused: the id is another schema's, or the schema has another id.
        """
        schema_id, subject = version.schema_id, version.subject
        held = self._ask("GET", f"/schemas/ids/{schema_id}", absent=None)
        wanted = meaning(read_json(version.text))
        if held is not None and meaning(read_json(held["schema"])) != wanted:
            users = self._users(schema_id)
            raise RegistryRefused(
                f"{self.name}: the schema id {schema_id} is taken there by {users}, and the hub"
                f" writes version {version.number} of {subject} with it. Free the id in that"
                " registry, or leave out `registry:` (the hub's own has all of them)"
            )
        if held is not None and subject in self._subjects_of(schema_id):
            return True
        found = self._ask("POST", _path(subject), {"schema": version.text}, absent=None)
        if found is not None and found["id"] != schema_id:
            raise RegistryRefused(
                f"{self.name}: {subject} holds the contract under the id {found['id']}, and the hub"
                f" writes {schema_id}: somebody registered it there before the hub did. Delete that"
                " version for good, and start the hub again"
            )
        return False

    def _users(self, schema_id: int) -> str:
        found = self._ask("GET", f"/schemas/ids/{schema_id}/versions", absent=[])
        told = [f"version {one['version']} of {one['subject']}" for one in found]
        return " and ".join(told) or "a schema without a subject"

    def _subjects_of(self, schema_id: int) -> set[str]:
        found = self._ask("GET", f"/schemas/ids/{schema_id}/versions", absent=[])
        return {one["subject"] for one in found}

    @contextmanager
    def _importing(self, subject: str) -> Iterator[None]:
        path = f"/mode/{quote(subject, safe='')}"
        before = self._ask("GET", path, absent=None)
        try:
            self._ask("PUT", path, {"mode": "IMPORT"}, params={"force": "true"})
        except RegistryRefused as error:
            raise RegistryRefused(
                f"{error}. The hub's contracts need ids of their own there: allow the mode IMPORT"
                f" (mode.mutability=true), or import {subject} by hand as docs/registry.md shows"
            ) from error
        try:
            yield
        finally:
            if before is None:
                self._ask("DELETE", path, absent=None)
            else:
                self._ask("PUT", path, {"mode": before["mode"]})

    def _import(self, version: ContractVersion) -> None:
        path = f"{_path(version.subject)}/versions"
        body = {"schema": version.text, "id": version.schema_id, "version": version.number}
        given = self._ask("POST", path, body)["id"]
        if given != version.schema_id:
            raise RegistryRefused(
                f"{self.name}: {version.subject} was to have the id {version.schema_id}, and got"
                f" {given}: this registry does not import ids"
            )

    def _bind(self, subject: str) -> None:
        path = f"/config/{quote(subject, safe='')}"
        level = self._ask("GET", path, absent={}).get("compatibilityLevel")
        if level != CONTRACT_MODE:
            self._ask("PUT", path, {"compatibility": CONTRACT_MODE})

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        absent: Any = ...,
    ) -> Any:
        """Return the answer's JSON; ``absent`` instead where there is nothing of this name."""
        try:
            answer = self._client.request(
                method, path.lstrip("/"), json=body, params=params, headers=_CONTENT[body is None]
            )
        except httpx.HTTPError as error:
            raise RegistryUnreachable(
                f"The registry {self.name} does not answer: {error}"
            ) from error
        if answer.status_code == _NOT_FOUND and absent is not ...:
            return absent
        if answer.is_success:
            return answer.json()
        told = f"The registry {self.name} answers {method} {path} with {_words(answer)}"
        if answer.is_server_error:
            raise RegistryUnreachable(told)
        raise RegistryRefused(told)


_CONTENT: Mapping[bool, Mapping[str, str]] = {True: {}, False: {"Content-Type": _MEDIA_TYPE}}


def _path(subject: str) -> str:
    return f"/subjects/{quote(subject, safe='')}"


def _words(answer: httpx.Response) -> str:
    try:
        told = answer.json()
        return f"{told['error_code']}: {told['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code}: {answer.text[:200].strip() or answer.reason_phrase}"

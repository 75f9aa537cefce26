"""Settings of the sources: what each kind needs to be read, credentials by name only."""

import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ByteSize, ConfigDict, Discriminator, Field, Tag, field_validator

__all__ = [
    "DatabaseSource",
    "FilesSource",
    "HttpSource",
    "RestSource",
    "Source",
    "resolved",
    "with_variables",
]

#: Standard Webhooks asks for 24 to 64 random bytes.
_SHORTEST_KEY = 24
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
#: SQLAlchemy's address of an SQLite file by a relative path.
_SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")


class _Source(BaseModel):
    """One door in; ``mapping`` is a shipped profile or a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    mapping: str = Field(min_length=1)

    @property
    def poll_s(self) -> float:
        """Seconds between two looks at a source that is followed."""
        return 1.0

    @property
    def reads(self) -> str:
        """What is read, for people: a path, an address without its password."""
        raise NotImplementedError


class FilesSource(_Source):
    """Files under ``path``, which may be a folder or a pattern.

    A packed file (gz, zip, xlsx) may have ``most_inflated`` bytes inflated (``2GiB``).
    """

    kind: Literal["files"] = "files"
    path: str = Field(min_length=1)
    most_inflated: ByteSize = Field(default=ByteSize(1 << 30), gt=0)

    @property
    def reads(self) -> str:
        return self.path


class DatabaseSource(_Source):
    """Tables of a database; which, and by which column they change, is said by the mapping.

    A statement may take ``timeout_seconds``. A hub that follows it looks every ``poll_seconds``.
    """

    kind: Literal["database"]
    url: str = Field(repr=False)
    timeout_seconds: float = Field(default=60.0, gt=0, le=86_400)
    poll_seconds: float = Field(default=2.0, gt=0, le=86_400)

    @property
    def poll_s(self) -> float:
        return self.poll_seconds

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        if "://" not in url:
            raise ValueError("an address such as mssql+pymssql://user:${PASSWORD}@host/database")
        return url

    @property
    def reads(self) -> str:
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self.url)


class RestSource(_Source):
    """A paged JSON API; which resources, and by which field they change, is said by the mapping.

    ``headers`` carry the credentials (``Authorization: Bearer ${CRM_TOKEN}``) and go to the host of
    ``url`` alone. Besides it only ``hosts`` are ever asked; at most ``requests_per_second``, and
    by a hub that follows it every ``poll_seconds``. An answer may take ``timeout_seconds``.
    ``ca_file`` is of the authority that signed the server's certificate, if no public one did.
    """

    kind: Literal["rest"]
    url: str = Field(pattern=r"^https?://")
    headers: Mapping[str, str] = Field(default_factory=dict, repr=False)
    hosts: tuple[str, ...] = ()
    requests_per_second: float = Field(default=5.0, gt=0, le=1000)
    poll_seconds: float = Field(default=30.0, gt=0, le=86_400)
    timeout_seconds: float = Field(default=30.0, gt=0, le=600)
    ca_file: Path | None = None

    @property
    def poll_s(self) -> float:
        return self.poll_seconds

    @property
    def reads(self) -> str:
        return re.sub(r"//[^/@]*@", "//", self.url)


class HttpSource(_Source):
    """A webhook that the source calls: ``POST /v1/hooks/{name}``, signed with ``secret``.

    ``secret`` is that of Standard Webhooks (``whsec_…``), or several of them while one takes the
    place of another.
    """

    kind: Literal["http"]
    secret: tuple[str, ...] = Field(min_length=1, repr=False)

    @field_validator("secret", mode="before")
    @classmethod
    def _listed(cls, found: Any) -> Any:
        return (found,) if isinstance(found, str) else found

    @field_validator("secret")
    @classmethod
    def _keys(cls, secrets: tuple[str, ...]) -> tuple[str, ...]:
        for secret in secrets:
            try:
                key = b64decode(secret.removeprefix("whsec_") + "==")
            except ValueError as error:
                raise ValueError("whsec_ and a key in base64") from error
            if len(key) < _SHORTEST_KEY:
                raise ValueError(f"whsec_ and a key of at least {_SHORTEST_KEY} bytes in base64")
        return secrets

    @property
    def reads(self) -> str:
        return f"/v1/hooks/{self.name}"


def _kind(found: Any) -> str:
    kind = found.get("kind", "files") if isinstance(found, dict) else getattr(found, "kind", None)
    return f"<{kind}>"


Source = Annotated[
    Annotated[FilesSource, Tag("<files>")]
    | Annotated[DatabaseSource, Tag("<database>")]
    | Annotated[RestSource, Tag("<rest>")]
    | Annotated[HttpSource, Tag("<http>")],
    Discriminator(
        _kind,
        custom_error_type="kind",
        custom_error_message="files, database, rest or http",
    ),
]


def resolved(source: Source, root: Path) -> Source:
    """The source with absolute paths; relative ones are taken from ``root``."""
    changes: dict[str, Any] = {"mapping": _mapping(source.mapping, root)}
    if isinstance(source, FilesSource):
        changes["path"] = str(root / source.path)
    if isinstance(source, DatabaseSource) and (found := _SQLITE_FILE.fullmatch(source.url)):
        changes["url"] = f"{found[1]}{root / found[2]}"
    if isinstance(source, RestSource) and source.ca_file is not None:
        changes["ca_file"] = root / source.ca_file
    return source.model_copy(update=changes)


def with_variables(found: Any, environment: Mapping[str, str]) -> Any:
    """The sources of a configuration with each ``${NAME}`` replaced by that variable.

    Raises:
        ValueError: a variable is not set; the message names it.
    """
    if isinstance(found, dict):
        return {key: with_variables(value, environment) for key, value in found.items()}
    if isinstance(found, list):
        return [with_variables(value, environment) for value in found]
    if not isinstance(found, str):
        return found

    def value_of(variable: re.Match[str]) -> str:
        if variable[1] not in environment:
            raise ValueError(variable[1])
        return environment[variable[1]]

    return _VARIABLE.sub(value_of, found)


def _mapping(mapping: str, root: Path) -> str:
    """A shipped profile is a bare name and stays one; anything else is the path of a file."""
    is_file = "/" in mapping or mapping.endswith((".yaml", ".yml"))
    return str(root / mapping) if is_file else mapping

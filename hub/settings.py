"""Typed settings from headrace.yaml and HEADRACE_* variables; the one reader of the environment."""

import os
from collections.abc import Mapping
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import platformdirs
import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from hub.money import minor_digits
from hub.source_settings import Source, resolved, with_variables
from hub.validation import Problem, SettingsError, from_pydantic

__all__ = [
    "Api",
    "Company",
    "KafkaAddress",
    "KafkaSecurity",
    "Settings",
    "SettingsError",
    "Source",
    "TopicSettings",
    "cache_folder",
    "load_settings",
]

CONFIG_NAME = "headrace.yaml"
PREFIX = "HEADRACE_"
_NO_FILE = (
    "there is no headrace.yaml here (go to its folder, name it with --config FILE or set"
    " HEADRACE_CONFIG); the environment alone"
)
_OTHER_VARIABLES = frozenset({"config", "cache"})
_WITH_CREDENTIALS = frozenset({"sources", "registry"})

_ALLOWED = {
    "company": "{name, base_currency, time_zone}",
    "company.base_currency": "a currency code of ISO 4217, such as EUR or CNY",
    "company.time_zone": "a time zone of the IANA database, such as Asia/Shanghai",
    "kafka": "'embedded', or {bootstrap_servers: [host:port, ...], security: {...}}",
    "kafka.bootstrap_servers": "one or more addresses as host:port",
    "database": "'embedded', or an address postgresql+psycopg://user:password@host:port/name",
    "business_date": "a date as YYYY-MM-DD",
    "sources": "a list of {name, kind, mapping, …}; kind: files, database, rest or http",
    "metrics_port": "a port from 1 to 65535, or 0 for a free one; without this key it is off",
    "metrics_host": "an address of this machine such as 127.0.0.1, or 0.0.0.0 for all of them",
    "registry": "an address http://… or https://…, with user:${PASSWORD}@ if it wants one",
    "api.host": "an address of this machine such as 127.0.0.1, or 0.0.0.0 for all of them",
    "api.port": "a port from 1 to 65535, or 0 for a free one",
    "sources.kind": "files, database, rest or http",
    "sources.name": "letters, digits, '_', '-' and '.', each name once",
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Company(_Section):
    """Whose hub this is; all totals are in ``base_currency``, all dates in ``time_zone``."""

    name: str = Field(min_length=1)
    base_currency: str
    time_zone: str

    @field_validator("base_currency")
    @classmethod
    def _known_currency(cls, code: str) -> str:
        if minor_digits(code) is None:
            raise ValueError(_ALLOWED["company.base_currency"])
        return code

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(_ALLOWED["company.time_zone"])
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.time_zone)


class KafkaSecurity(_Section):
    """How to reach a secured cluster; ``ca_file`` verifies the brokers' certificates."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "SASL_SSL"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [key for key in ("mechanism", "username", "password") if not getattr(self, key)]
        if self.protocol.startswith("SASL") and missing:
            raise ValueError(f"for {self.protocol} {', '.join(missing)} as well")
        if not self.protocol.startswith("SASL") and len(missing) < 3:
            raise ValueError(
                "mechanism, username and password with SASL_SSL or SASL_PLAINTEXT only"
            )
        return self


class KafkaAddress(_Section):
    """A Kafka cluster that is not ours."""

    bootstrap_servers: Annotated[tuple[str, ...], NoDecode] = Field(min_length=1)
    security: KafkaSecurity | None = None

    @field_validator("bootstrap_servers", mode="before")
    @classmethod
    def _listed(cls, found: Any) -> Any:
        """A variable of the environment gives the addresses with commas between them."""
        return tuple(found.split(",")) if isinstance(found, str) else found

    @field_validator("bootstrap_servers")
    @classmethod
    def _addresses(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            host, _, port = server.rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(_ALLOWED["kafka.bootstrap_servers"])
        return servers


class Api(_Section):
    """The HTTP door; without ``authentication`` it is open to this machine alone.

    Sizes are in bytes, before and after a body was inflated; ``depth`` is of JSON, and
    ``requests_per_second`` are those of one caller.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8470, ge=0, le=65535)
    authentication: bool = True
    body_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    inflated_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    depth: int = Field(default=32, ge=4, le=500)
    batch_events: int = Field(default=10_000, ge=1)
    requests_per_second: float = Field(default=5_000.0, gt=0)

    @field_validator("host")
    @classmethod
    def _own_address(cls, host: str) -> str:
        ip_address(host)
        return host

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not self.authentication and not self.is_private:
            raise ValueError("authentication, or a loopback address such as 127.0.0.1 as the host")
        return self

    @property
    def is_private(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(self.host).is_loopback


class TopicSettings(_Section):
    """How Kafka keeps one topic: its records are thrown away after ``retention_days``."""

    retention_days: int = Field(ge=1, le=36_500)


def _kafka_kind(found: Any) -> str:
    return "<word>" if isinstance(found, str) else "<address>"


class Settings(BaseSettings):
    """All settings, checked; every path in them is absolute."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__"
    )

    company: Company
    data: Path = Path("var")
    kafka: Annotated[
        Annotated[Literal["embedded"], Tag("<word>")] | Annotated[KafkaAddress, Tag("<address>")],
        Discriminator(_kafka_kind),
    ] = "embedded"
    database: str = Field(default="embedded", repr=False)
    policy: Path | None = None
    business_date: date | None = None
    sources: tuple[Source, ...] = ()
    api: Api | None = None
    registry: str | None = Field(default=None, repr=False)
    workers: int = Field(default=1, ge=1, le=64)
    partitions: int = Field(default=4, ge=1, le=1024)
    replication: int = Field(default=1, ge=1, le=9)
    topics: Mapping[str, TopicSettings] = Field(default_factory=dict)
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_host: str = "127.0.0.1"

    @field_validator("database")
    @classmethod
    def _address_or_embedded(cls, address: str) -> str:
        if address != "embedded" and not address.startswith("postgresql+psycopg://"):
            raise ValueError(_ALLOWED["database"])
        return address

    @field_validator("registry")
    @classmethod
    def _web_address(cls, address: str | None) -> str | None:
        if address is not None and not address.startswith(("http://", "https://")):
            raise ValueError(_ALLOWED["registry"])
        return address

    @field_validator("metrics_port", mode="before")
    @classmethod
    def _no_switch(cls, found: Any) -> Any:
        """YAML's ``off`` and ``on`` would be the ports 0 and 1."""
        if isinstance(found, bool):
            raise ValueError(_ALLOWED["metrics_port"])
        return found

    @field_validator("metrics_host")
    @classmethod
    def _own_address(cls, host: str) -> str:
        ip_address(host)
        return host

    @field_validator("topics")
    @classmethod
    def _keeps_everything_otherwise(
        cls, topics: Mapping[str, TopicSettings]
    ) -> Mapping[str, TopicSettings]:
        if not topics:
            return topics
        # Only who sets something of topics waits for the contracts to be read.
        from schemas.catalogue import TOPICS

        plain = [name for name, topic in TOPICS.items() if topic.cleanup == "delete"]
        for name in set(topics) - set(plain):
            why = (
                f"{name} is compacted (it keeps the newest of each key for ever, and a tombstone"
                " erases)"
                if name in TOPICS
                else f"{name!r} is no topic of the hub"
            )
            raise ValueError(f"retention_days of {', '.join(plain)}; {why}")
        return topics

    @property
    def retention_days(self) -> Mapping[str, int]:
        """By topic after how many days its records are thrown away; others keep everything."""
        return {name: topic.retention_days for name, topic in self.topics.items()}

    @field_validator("sources")
    @classmethod
    def _named_once(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        names = [source.name for source in sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"each name once, and {name!r} stands there twice")
        return sources

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: ``load_settings`` is the reader of files and environment."""
        return (init_settings,)


def load_settings(config: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; a HEADRACE_* variable goes before the file.

    ``HEADRACE_COMPANY__NAME`` is ``company.name``. Relative paths are taken from the folder
    of the file (without a file: from the current one).

    Args:
        config: the file; by default HEADRACE_CONFIG, else headrace.yaml in the current folder,
            if there is one.
        env: the environment; by default that of this process.

    Raises:
        SettingsError: a file is missing or unreadable, or a key or value isn't allowed.
    """
    environment = os.environ if env is None else env
    path = config or (
        Path(environment[PREFIX + "CONFIG"]) if PREFIX + "CONFIG" in environment else None
    )
    if path is None and Path(CONFIG_NAME).is_file():
        path = Path(CONFIG_NAME)
    document = {} if path is None else _read_document(path)
    origin = _NO_FILE if path is None else str(path)
    values = _merged(document, _from_environment(environment))
    values = _with_variables(values, environment, origin)
    root = (path.parent if path else Path()).absolute()
    try:
        return _with_absolute_paths(Settings(**values), root)
    except ValidationError as error:
        raise from_pydantic(origin, error, _ALLOWED) from error


def cache_folder(env: Mapping[str, str] | None = None) -> Path:
    """Where downloads that several hubs share are kept: HEADRACE_CACHE, else the user's cache."""
    environment = os.environ if env is None else env
    named = environment.get(PREFIX + "CACHE")
    return Path(named).absolute() if named else platformdirs.user_cache_path("headrace")


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problem = Problem("(the whole file)", str(error), "a readable YAML file")
        raise SettingsError(str(path), [problem]) from error
    if not isinstance(document, dict):
        kind = type(document).__name__
        problem = Problem("(the whole file)", f"a {kind}", "keys such as company: and sources:")
        raise SettingsError(str(path), [problem])
    return document


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    ours = {name.lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
    known = {PREFIX.lower() + name for name in {*Settings.model_fields, *_OTHER_VARIABLES}}
    unknown = [name for name in ours if name.split("__")[0] not in known]
    if unknown:
        allowed = ", ".join(sorted(name.upper() for name in known))
        raise SettingsError(
            "the environment",
            [Problem(name.upper(), repr(ours[name]), allowed) for name in sorted(unknown)],
        )
    reader = EnvSettingsSource(Settings)
    reader.env_vars = ours
    return reader()


def _with_variables(
    values: dict[str, Any], environment: Mapping[str, str], origin: str
) -> dict[str, Any]:
    """Fill in ``${NAME}`` where credentials are needed, so that these stand in no file."""
    filled = dict(values)
    for key in _WITH_CREDENTIALS & set(values):
        try:
            filled[key] = with_variables(values[key], environment)
        except ValueError as error:
            problem = Problem(key, f"${{{error}}}", f"the variable {error} has to be set")
            raise SettingsError(origin, [problem]) from error
    return filled


def _merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """``upper`` over ``lower``, section by section."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        nested = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merged(below, value) if nested and isinstance(below, dict) else value
    return merged


def _with_absolute_paths(settings: Settings, root: Path) -> Settings:
    sources = tuple(resolved(source, root) for source in settings.sources)
    changes: dict[str, Any] = {"data": (root / settings.data).resolve(), "sources": sources}
    if settings.policy is not None:
        changes["policy"] = root / settings.policy
    kafka = settings.kafka
    if isinstance(kafka, KafkaAddress) and kafka.security and kafka.security.ca_file:
        absolute = {"ca_file": root / kafka.security.ca_file}
        security = kafka.security.model_copy(update=absolute)
        changes["kafka"] = kafka.model_copy(update={"security": security})
    return settings.model_copy(update=changes)

"""What a registry may answer instead: Confluent's codes, each with its sentence."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.compatibility import Incompatibility, Mode


class RegistryError(Exception):
    """A refusal with the code that Confluent's registry has for it; 40401 is HTTP's 404."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)

    @property
    def status(self) -> int:
        """The status of HTTP."""
        return int(str(self.code)[:3])


def no_subject(subject: str) -> RegistryError:
    return RegistryError(40401, f"Subject '{subject}' not found.")


def no_version(version: int) -> RegistryError:
    return RegistryError(40402, f"Version {version} not found.")


def no_schema(schema_id: int | None = None) -> RegistryError:
    named = "Schema" if schema_id is None else f"Schema {schema_id}"
    return RegistryError(40403, f"{named} not found")


def subject_gone(subject: str) -> RegistryError:
    told = f"Subject '{subject}' was soft deleted. Set permanent=true to delete permanently"
    return RegistryError(40404, told)


def subject_there(subject: str) -> RegistryError:
    told = f"Subject '{subject}' was not deleted first before being permanently deleted"
    return RegistryError(40405, told)


def version_gone(subject: str, version: int) -> RegistryError:
    told = f"Subject '{subject}' Version {version} was soft deleted. Set permanent=true to delete"
    return RegistryError(40406, f"{told} permanently")


def version_there(subject: str, version: int) -> RegistryError:
    told = f"Subject '{subject}' Version {version} was not deleted first before being permanently"
    return RegistryError(40407, f"{told} deleted")


def no_level(subject: str) -> RegistryError:
    told = f"Subject '{subject}' does not have subject-level compatibility configured"
    return RegistryError(40408, told)


def no_mode(subject: str) -> RegistryError:
    told = f"Subject '{subject}' does not have subject-level mode configured"
    return RegistryError(40409, told)


def incompatible(subject: str, found: Sequence[Incompatibility], mode: Mode) -> RegistryError:
    told = ", ".join(details(found, mode))
    return RegistryError(
        409,
        "Schema being registered is incompatible with an earlier schema for subject"
        f' "{subject}", details: [{told}]',
    )


def details(found: Sequence[Incompatibility], mode: Mode) -> list[str]:
    """The findings in the shape that Confluent's registry gives its verbose messages."""
    if not found:
        return []
    told = [
        f"{{errorType:'{one.finding.kind}', description:'{one}',"
        f" additionalInfo:'{one.finding.path}'}}"
        for one in found
    ]
    versions = sorted({one.version for one in found})
    return [
        *told,
        *(f"{{oldSchemaVersion: {version}}}" for version in versions),
        f"{{compatibility: '{mode}'}}",
    ]


def invalid_schema(reason: str) -> RegistryError:
    return RegistryError(42201, f"Invalid schema: {reason}")


def invalid_version(version: str) -> RegistryError:
    return RegistryError(
        42202,
        f"The specified version '{version}' is not a valid version id. Allowed values are between"
        ' [1, 2^31-1] and the string "latest"',
    )


def invalid_level(level: object) -> RegistryError:
    allowed = ", ".join(Mode)
    return RegistryError(
        42203, f"Invalid compatibility level {level!r}. Valid values are {allowed}"
    )


def invalid_mode(mode: object, allowed: Sequence[str]) -> RegistryError:
    return RegistryError(42204, f"Invalid mode {mode!r}. Valid values are {', '.join(allowed)}")


def not_permitted(reason: str) -> RegistryError:
    return RegistryError(42205, reason)


def of_the_hub(subject: str) -> RegistryError:
    return not_permitted(
        f"The subject {subject} holds a contract of the hub: it changes with a release of the hub"
        " alone, and its compatibility is FULL_TRANSITIVE"
    )


def invalid_subject(subject: str) -> RegistryError:
    return RegistryError(42208, f"The specified subject '{subject}' is not a valid subject")


def too_large(limit: int) -> RegistryError:
    return RegistryError(42209, f"The schema is longer than {limit:,} characters")

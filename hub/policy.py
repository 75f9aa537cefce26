"""The parameters of the domain that a user edits, with the defaults of DOMAIN.md."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hub.validation import Problem, SettingsError, from_pydantic

Share = Annotated[Decimal, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=0)]

_STAGE_CHANCES = {
    "identify": Decimal("0.10"),
    "qualify": Decimal("0.25"),
    "develop": Decimal("0.50"),
    "propose": Decimal("0.75"),
    "won": Decimal(1),
    "lost": Decimal(0),
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TierShares(_Section):
    """Shares of all customers with revenue, by rank, that reach each tier (section 3, Value)."""

    vip: Share = Decimal("0.01")
    large: Share = Decimal("0.05")
    medium: Share = Decimal("0.20")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.vip <= self.large <= self.medium:
            raise ValueError("shares that rise from vip over large to medium")
        return self


class Policy(_Section):
    """What the rules may be told; each field is named after its parameter in DOMAIN.md.

    Chances, thresholds and shares are fractions from 0 to 1; the rest is in days or months.
    """

    stage_chances: dict[str, Share] = Field(default_factory=lambda: dict(_STAGE_CHANCES))
    chance_threshold: Share = Decimal("0.20")
    order_to_delivery_days: Days = 30

    revenue_months: int = Field(default=12, ge=1)
    tier_shares: TierShares = TierShares()

    new_customer_months: int = Field(default=12, ge=1)
    churned_gap_factor: Decimal = Field(default=Decimal(3), gt=0)
    churned_after_days: Days = 180
    at_risk_chance: Share = Decimal("0.5")
    at_risk_gap_factor: Decimal = Field(default=Decimal(2), gt=0)

    ageing_limits: tuple[int, ...] = (30, 60, 90, 120)

    silent_source_gap_factor: Decimal = Field(default=Decimal(3), gt=0)

    @field_validator("stage_chances", mode="before")
    @classmethod
    def _over_defaults(cls, found: Any) -> Any:
        if not isinstance(found, dict) or not set(found) <= set(_STAGE_CHANCES):
            raise ValueError(f"chances of the stages {', '.join(_STAGE_CHANCES)}")
        return {**_STAGE_CHANCES, **found}

    @field_validator("ageing_limits")
    @classmethod
    def _limits_rise(cls, limits: tuple[int, ...]) -> tuple[int, ...]:
        if not limits or limits[0] <= 0 or list(limits) != sorted(set(limits)):
            raise ValueError("days above 0 that rise, such as [30, 60, 90, 120]")
        return limits


def load_policy(path: Path | None) -> Policy:
    """The policy in the YAML file at ``path``; all defaults without one.

    Raises:
        SettingsError: the file is missing or no YAML, or a key or value in it isn't allowed.
    """
    if path is None:
        return Policy()
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problem = Problem("policy", str(error), "a readable YAML file")
        raise SettingsError(str(path), [problem]) from error
    try:
        return Policy.model_validate({} if document is None else document)
    except ValidationError as error:
        raise from_pydantic(str(path), error) from error

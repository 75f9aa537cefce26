"""The policy: DOMAIN.md's defaults, and what a user may change."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest

from hub.policy import Policy, TierShares, load_policy
from hub.validation import SettingsError

ROOT = Path(__file__).parents[2]
ROOMS = ("hub", "sinks", "connectors", "streams", "api", "ops")


def policy_file(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text)
    return path


def test_defaults_are_those_of_the_domain() -> None:
    policy = Policy()
    assert policy.stage_chances["propose"] == Decimal("0.75")
    assert policy.ageing_limits == (30, 60, 90, 120)
    assert policy.chance_threshold == Decimal("0.20")
    assert policy.tier_shares.vip == Decimal("0.01")
    assert load_policy(None) == policy


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load_policy(policy_file(tmp_path, "")) == Policy()


def test_what_is_given_goes_before_the_default(tmp_path: Path) -> None:
    text = "stage_chances: {develop: 0.4}\nageing_limits: [15, 45]\n"
    policy = load_policy(policy_file(tmp_path, text))
    assert policy.stage_chances["develop"] == Decimal("0.4")
    assert policy.stage_chances["qualify"] == Decimal("0.25")
    assert policy.ageing_limits == (15, 45)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("stage_chances: {dreaming: 0.4}", "stage_chances"),
        ("stage_chances: {develop: 1.4}", "stage_chances.develop"),
        ("ageing_limits: [60, 30]", "ageing_limits"),
        ("ageing_limits: []", "ageing_limits"),
        ("tier_shares: {vip: 0.5}", "tier_shares"),
        ("revenue_month: 6", "revenue_month"),
        ("- 1", "(the whole file)"),
    ],
)
def test_a_wrong_parameter_is_named(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_policy(policy_file(tmp_path, text))
    assert [problem.key for problem in caught.value.problems] == [key]


def test_no_parameter_is_without_effect() -> None:
    read = {
        node.attr
        for room in ROOMS
        for path in (ROOT / room).glob("**/*.py")
        if path.name != "policy.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert Policy.model_fields.keys() | TierShares.model_fields.keys() <= read


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"policy\.yaml"):
        load_policy(tmp_path / "policy.yaml")

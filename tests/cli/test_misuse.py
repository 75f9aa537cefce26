"""What is wrong with a call or a configuration is said in a sentence, before anything starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.shop import CONFIG, MAPPING, Ran, Shop, opened_shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with opened_shop() as shop:
        yield shop


def refused(ran: Ran, *words: str) -> None:
    assert ran.status == 2, ran.err
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err
    assert ran.out == ""


def test_a_wrong_key_is_named_with_what_was_found_and_what_is_allowed(shop: Shop) -> None:
    shop.write(config=CONFIG.replace("base_currency: EUR", "base_currency: EURO"))
    refused(shop.run("up", "--until-idle"), "company.base_currency", "'EURO'", "ISO 4217")


def test_a_configuration_that_is_not_there_is_named(shop: Shop) -> None:
    refused(shop.run("status", "--config", "other.yaml"), "other.yaml")


def test_a_folder_without_a_configuration_is_told_with_the_ways_on(shop: Shop) -> None:
    (shop.folder / "headrace.yaml").unlink()
    refused(shop.run("status"), "no headrace.yaml here", "--config", "HEADRACE_CONFIG")


def test_a_wrong_mapping_is_told_with_its_place_and_nothing_starts(shop: Shop) -> None:
    shop.write(mapping=MAPPING.replace("name: name,", "nam: name,"))
    refused(shop.run("up"), "till.yaml", "nam")
    assert not (shop.folder / "var").exists()


def test_a_source_without_files_is_told_before_a_bounded_run(shop: Shop) -> None:
    shop.write(config=CONFIG.replace("path: exports", "path: nowhere"))
    refused(shop.run("up", "--until-idle"), "nowhere")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "documents", "ordr"), ("'ordr'", "order, shipment")),
        (("show", "receivables", "--as-of", "31.12.2026"), ("YYYY-MM-DD",)),
        (("sources", "run", "tull"), ("'tull'", "till")),
        (("dead-letters", "replay"), ("--all",)),
        (("dead-letters", "replay", "3", "--all"), ("--all",)),
        (("dead-letters", "close"), ("--all",)),
        (("rebuild", "--stream", "demnd"), ("demnd", "demand")),
        (("rebuild", "--accept-recreated", "sales.ordr.v1"), ("sales.ordr.v1", "sales.order.v1")),
        (("rebuild", "--from-topics", "--stream", "demand"), ("--stream",)),
    ],
)
def test_a_wrong_argument_is_told_with_what_is_allowed(
    shop: Shop, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(shop.run(*arguments), *words)
    assert not (shop.folder / "var" / "postgres").exists()

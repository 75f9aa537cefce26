"""Settings: what headrace.yaml and the environment may say, and how a mistake is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hub.settings import KafkaAddress, SettingsError, cache_folder, load_settings
from hub.source_settings import DatabaseSource

COMPANY = "company: {name: Sample Plant, base_currency: CNY, time_zone: Asia/Shanghai}\n"


def config(folder: Path, text: str = "") -> Path:
    path = folder / "headrace.yaml"
    path.write_text(COMPANY + text)
    return path


def problems(folder: Path, text: str, env: dict[str, str] | None = None) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(config(folder, text), env or {})
    return {
        problem.key: f"{problem.found} | {problem.allowed}" for problem in caught.value.problems
    }


def test_everything_has_a_default_but_the_company(tmp_path: Path) -> None:
    settings = load_settings(config(tmp_path), {})
    assert settings.company.name == "Sample Plant"
    assert (settings.kafka, settings.database) == ("embedded", "embedded")
    assert settings.data == (tmp_path / "var").resolve()
    assert (settings.workers, settings.partitions, settings.business_date) == (1, 4, None)


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    text = """
data: ./elsewhere
policy: policy.yaml
sources:
  - {name: s4, kind: files, path: exports/sap_o2c, mapping: sap_s4_o2c}
  - {name: crm, kind: files, path: exports/crm-*.csv, mapping: mappings/crm.yaml}
"""
    settings = load_settings(config(tmp_path, text), {})
    assert settings.data == (tmp_path / "elsewhere").resolve()
    assert settings.policy == tmp_path / "policy.yaml"
    shipped, own = settings.sources
    assert (shipped.reads, shipped.mapping) == (str(tmp_path / "exports/sap_o2c"), "sap_s4_o2c")
    assert own.reads == str(tmp_path / "exports/crm-*.csv")
    assert own.mapping == str(tmp_path / "mappings/crm.yaml")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sqlite:///books/erp.db", "sqlite:///{root}/books/erp.db"),
        ("sqlite+pysqlite:///erp.db?timeout=5", "sqlite+pysqlite:///{root}/erp.db?timeout=5"),
        ("sqlite:////srv/erp.db", "sqlite:////srv/erp.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql+psycopg://hub@erp/books", "postgresql+psycopg://hub@erp/books"),
    ],
)
def test_an_sqlite_file_of_a_source_is_looked_for_from_the_folder_of_the_file(
    written: str, read: str, tmp_path: Path
) -> None:
    text = f"sources: [{{name: erp, kind: database, url: '{written}', mapping: erp.yaml}}]\n"
    (source,) = load_settings(config(tmp_path, text), {}).sources
    assert isinstance(source, DatabaseSource)
    assert source.url == read.format(root=tmp_path)


def test_a_variable_goes_before_the_file(tmp_path: Path) -> None:
    env = {
        "HEADRACE_WORKERS": "3",
        "HEADRACE_COMPANY__NAME": "Other Plant",
        "HEADRACE_BUSINESS_DATE": "2026-11-21",
        "HEADRACE_KAFKA__BOOTSTRAP_SERVERS": "one:9092,two:9092",
        "PATH": "/bin",
    }
    settings = load_settings(config(tmp_path, "workers: 2\n"), env)
    assert settings.workers == 3
    assert settings.company.name == "Other Plant"
    assert settings.company.base_currency == "CNY"
    assert settings.business_date == date(2026, 11, 21)
    assert isinstance(settings.kafka, KafkaAddress)
    assert settings.kafka.bootstrap_servers == ("one:9092", "two:9092")


def test_the_file_may_be_named_by_a_variable(tmp_path: Path) -> None:
    env = {"HEADRACE_CONFIG": str(config(tmp_path, "workers: 2\n"))}
    assert load_settings(None, env).workers == 2


def test_an_error_names_key_found_and_allowed_for_every_mistake_at_once(tmp_path: Path) -> None:
    text = """
kafka: kafak
workers: many
partitions: 0
business_date: tomorrow
sources: [{name: "a b", path: x, mapping: y}]
"""
    found = problems(tmp_path, text)
    assert found["kafka"].startswith("'kafak' | 'embedded', or {bootstrap_servers:")
    assert found["workers"].startswith("'many' | a valid integer")
    assert "greater than or equal to 1" in found["partitions"]
    assert found["business_date"] == "'tomorrow' | a date as YYYY-MM-DD"
    assert "letters, digits" in found["sources.0.name"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("kafka: {bootstrap_servers: [host]}\n", "kafka.bootstrap_servers"),
        ("kafka: {bootstrap_servers: []}\n", "kafka.bootstrap_servers"),
        (
            "kafka: {bootstrap_servers: ['a:1'], security: {protocol: NONE}}\n",
            "kafka.security.protocol",
        ),
        ("sources: [{name: a, kind: ftp, path: x, mapping: y}]\n", "sources.0.kind"),
        ("wrokers: 2\n", "wrokers"),
    ],
)
def test_a_wrong_value_is_named_by_its_whole_key(tmp_path: Path, text: str, key: str) -> None:
    assert list(problems(tmp_path, text)) == [key]


@pytest.mark.parametrize(
    ("variable", "key"),
    [("BASE_CURRENCY", "company.base_currency"), ("TIME_ZONE", "company.time_zone")],
)
def test_currency_and_zone_must_exist(tmp_path: Path, variable: str, key: str) -> None:
    found = problems(tmp_path, "", {f"HEADRACE_COMPANY__{variable}": "XYZ"})
    assert found[key].startswith("'XYZ' | a ")


@pytest.mark.parametrize(("found", "port"), [("0", 0), ("9464", 9464), ("null", None)])
def test_metrics_are_off_or_have_a_port(tmp_path: Path, found: str, port: int | None) -> None:
    assert load_settings(config(tmp_path), {}).metrics_port is None
    assert load_settings(config(tmp_path, f"metrics_port: {found}\n"), {}).metrics_port == port


def test_the_port_of_the_metrics_may_come_from_a_variable(tmp_path: Path) -> None:
    env = {"HEADRACE_METRICS_PORT": "9464"}
    assert load_settings(config(tmp_path, "metrics_port: 1\n"), env).metrics_port == 9464


@pytest.mark.parametrize("found", ["-1", "65536", "off", "on", "http", "9464.5"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, found: str) -> None:
    told = problems(tmp_path, f"metrics_port: {found}\n")
    assert told["metrics_port"].endswith(
        "| a port from 1 to 65535, or 0 for a free one; without this key it is off"
    )


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = "sources: [{name: a, path: x, mapping: y}, {name: a, path: z, mapping: y}]\n"
    assert "sources" in problems(tmp_path, twice)


def test_topics_keep_everything_unless_days_are_set(tmp_path: Path) -> None:
    assert load_settings(config(tmp_path), {}).retention_days == {}
    text = "topics: {supply.stock.v1: {retention_days: 90}}"
    settings = load_settings(config(tmp_path, text), {})
    assert settings.retention_days == {"supply.stock.v1": 90}


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("{party.customer.v1: {retention_days: 90}}", "topics", "party.customer.v1 is compacted"),
        ("{view.demand.v1: {retention_days: 90}}", "topics", "view.demand.v1 is compacted"),
        ("{supply.stock: {retention_days: 90}}", "topics", "'supply.stock' is no topic"),
        (
            "{supply.stock.v1: {retention_days: 0}}",
            "topics.supply.stock.v1.retention_days",
            "greater than or equal to 1",
        ),
        (
            "{supply.stock.v1: {}}",
            "topics.supply.stock.v1.retention_days",
            "this key is required",
        ),
    ],
)
def test_retention_that_cannot_be_is_refused_with_the_reason(
    tmp_path: Path, text: str, key: str, said: str
) -> None:
    found = problems(tmp_path, f"topics: {text}")
    assert said in found[key]
    if key == "topics":
        assert "retention_days of supply.product.v1, " in found[key]


def test_a_misspelt_variable_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    found = problems(tmp_path, "", {"HEADRACE_WROKERS": "2"})
    assert "HEADRACE_WORKERS" in found["HEADRACE_WROKERS"]


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    found = problems(tmp_path, "database: mysql://me:secret@host/db\n")
    assert "secret" not in str(found)
    text = "database: postgresql+psycopg://me:secret@host/db\n"
    settings = load_settings(config(tmp_path, text), {})
    assert "secret" not in repr(settings)


def test_without_file_and_company_the_error_says_so() -> None:
    with pytest.raises(SettingsError, match="company: found nothing"):
        load_settings(None, {"HEADRACE_WORKERS": "1"})


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "headrace.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="the whole file"):
        load_settings(path, {})


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.yaml"):
        load_settings(tmp_path / "gone.yaml", {})


def test_the_cache_can_be_moved(tmp_path: Path) -> None:
    assert cache_folder({"HEADRACE_CACHE": str(tmp_path)}) == tmp_path
    assert cache_folder({}).name == "headrace"

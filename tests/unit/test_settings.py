"""What the operator asks for is checked at start, all of it at once, and written down in one place."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from medsafe.settings import VARIABLES, Settings, SettingsError, is_loopback, read_settings
from tests.conftest import ROOT

DIGEST = sha256(b"secret").hexdigest()


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as told:
        read_settings(environ)
    return told.value.problems


def read(**environ: str) -> Settings:
    return read_settings(environ)


def test_without_any_variable_the_service_is_private_to_this_machine() -> None:
    found = read()
    assert is_loopback(found.bind)
    assert (found.api_keys, found.rate_per_minute, found.cors_origins) == ((), 0, frozenset())
    assert found.data_dir == ROOT


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    told = problems(
        MEDSAFE_DATA_DIR=str(tmp_path),
        MEDSAFE_BIND="nowhere",
        MEDSAFE_WORKERS="0",
        MEDSAFE_API_KEYS="secret",
        MEDSAFE_MAX_BODY_BYTES="10",
        MEDSAFE_RATE_PER_MINUTE="-1",
        MEDSAFE_CORS_ORIGINS="*",
        MEDSAFE_LOG_LEVEL="loud",
        MEDSAFE_WATCH_SECONDS="soon",
        MEDSAFE_RXNAV_URL="http://rxnav.example.org",
        MEDSAFE_STORE_URL="mysql://hunter2@db/medsafe",
        MEDSAFE_SECRET_FILE=str(tmp_path / "missing"),
        MEDSAFE_FEEDBACK_DAYS="for ever",
        MEDSAFE_FEEDBACK_COMMENTS="maybe",
        MEDSAFE_REPEAT_MINUTES="-5",
        MEDSAFE_REDIS_URL="http://cache",
        MEDSAFE_PUBLIC_URL="http://medsafe.example.org",
        MEDSAFE_JWT_CLIENTS=str(tmp_path / "missing.toml"),
        MEDSAFE_JWT_MAX_SECONDS="1e9",
        MEDSAFE_RXNAV_CACHE=str(tmp_path / "no" / "folder" / "rxnav.sqlite"),
    )
    assert {text.split(":")[0] for text in told} == set(VARIABLES)


def test_a_refused_key_is_not_repeated() -> None:
    assert "hunter2" not in "".join(problems(MEDSAFE_API_KEYS="hunter2"))


@pytest.mark.parametrize("bind", ["0.0.0.0:8080", ":8080", "[::]:8080", "192.168.1.5:80", "medsafe.example:80"])
def test_an_address_others_can_reach_needs_keys(bind: str) -> None:
    assert any("MEDSAFE_API_KEYS" in text for text in problems(MEDSAFE_BIND=bind))
    assert read(MEDSAFE_BIND=bind, MEDSAFE_API_KEYS=DIGEST).bind == bind


@pytest.mark.parametrize("bind", ["127.0.0.1:8080", "127.1.2.3:1", "localhost:80", "[::1]:8080", "unix:/run/m.sock"])
def test_loopback_needs_no_key(bind: str) -> None:
    assert read(MEDSAFE_BIND=bind).api_keys == ()


@pytest.mark.parametrize("bind", ["127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1", "127.0.0.1:http", "unix:"])
def test_an_address_that_is_none_is_refused(bind: str) -> None:
    assert any("MEDSAFE_BIND" in text for text in problems(MEDSAFE_BIND=bind))


def test_several_keys_may_be_given() -> None:
    other = sha256(b"other").hexdigest()
    assert read(MEDSAFE_API_KEYS=f" {DIGEST} , {other},").api_keys == (bytes.fromhex(DIGEST), bytes.fromhex(other))


@pytest.mark.parametrize("digest", [DIGEST[:-1], DIGEST + "0", DIGEST.upper(), ","])
def test_only_whole_digests_are_keys(digest: str) -> None:
    assert any("MEDSAFE_API_KEYS" in text for text in problems(MEDSAFE_API_KEYS=digest))


def test_keys_bring_a_rate_limit_unless_it_is_set() -> None:
    assert read(MEDSAFE_API_KEYS=DIGEST).rate_per_minute > 0
    assert read(MEDSAFE_API_KEYS=DIGEST, MEDSAFE_RATE_PER_MINUTE="0").rate_per_minute == 0
    assert read(MEDSAFE_RATE_PER_MINUTE="30").rate_per_minute == 30


def test_origins_are_exact() -> None:
    found = read(MEDSAFE_CORS_ORIGINS="https://ehr.example.org, http://localhost:3000")
    assert found.cors_origins == {"https://ehr.example.org", "http://localhost:3000"}
    for wrong in ("ehr.example.org", "https://ehr.example.org/path", "null"):
        assert problems(MEDSAFE_CORS_ORIGINS=wrong)


def test_every_variable_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in VARIABLES if f"`{name}`" not in text] == []


def test_a_refused_url_of_a_database_is_not_repeated_and_a_good_one_is_not_shown() -> None:
    told = problems(MEDSAFE_STORE_URL="mysql://m:hunter2@db/x", MEDSAFE_REDIS_URL="redis:/:hunter2@cache")
    assert "hunter2" not in "".join(told)
    assert "hunter2" not in repr(read(MEDSAFE_REDIS_URL="redis://:hunter2@cache:6379/0"))


def test_postgresql_needs_a_secret_that_all_machines_share(tmp_path: Path) -> None:
    url, secret = "postgresql://medsafe@db/medsafe", tmp_path / "secret"
    assert any("MEDSAFE_SECRET_FILE" in text for text in problems(MEDSAFE_STORE_URL=url))
    secret.write_text("too short")
    assert any("MEDSAFE_SECRET_FILE" in text for text in problems(MEDSAFE_SECRET_FILE=str(secret)))
    secret.write_text("x" * 32)
    assert read(MEDSAFE_STORE_URL=url, MEDSAFE_SECRET_FILE=str(secret)).store_url == url


CLIENT = '[[client]]\niss = "https://ehr.example.org"\njku = "https://ehr.example.org/jwks.json"\n'
PUBLIC = "https://medsafe.example.org/"


def clients(tmp_path: Path, text: str) -> str:
    path = tmp_path / "clients.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_tokens_need_the_public_url_and_a_memory_for_used_ones(tmp_path: Path) -> None:
    file = clients(tmp_path, CLIENT)
    assert any("MEDSAFE_PUBLIC_URL" in text for text in problems(MEDSAFE_JWT_CLIENTS=file))
    together = {"MEDSAFE_JWT_CLIENTS": file, "MEDSAFE_PUBLIC_URL": PUBLIC, "MEDSAFE_STORE_URL": "none"}
    assert any("MEDSAFE_STORE_URL" in text for text in problems(**together))
    found = read(**together, MEDSAFE_REDIS_URL="redis://cache:6379/0", MEDSAFE_BIND="0.0.0.0:8080")
    assert (found.public_url, found.jwt_clients[0].may) == ("https://medsafe.example.org", {"cds"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "[[client]]"),
        ("[[client]", "TOML"),
        ("[[client]]\n", "iss is required"),
        ('[[client]]\niss = "a"\n', "either jku or keys"),
        (CLIENT + 'keys = "missing.json"\n', "Key Set"),
        (CLIENT + 'tenants = "a"\n', "list of words"),
        (CLIENT + 'may = ["everything"]\n', "may"),
        (CLIENT + "jkus = 1\n", "jkus"),
        (CLIENT + CLIENT, "twice"),
        (CLIENT.replace("https://ehr.example.org/jwks", "http://ehr.example.org/jwks"), "https"),
        (CLIENT.replace("https://ehr.example.org/jwks", "https://u:p@ehr.example.org/jwks"), "https"),
        (CLIENT.replace("https://ehr.example.org/jwks", "file:///etc/"), "https"),
    ],
)
def test_a_fault_in_the_list_of_clients_is_told(tmp_path: Path, text: str, told: str) -> None:
    (found,) = problems(MEDSAFE_JWT_CLIENTS=clients(tmp_path, text), MEDSAFE_PUBLIC_URL=PUBLIC)
    assert told in found

"""What is kept of cards and feedback, on both databases: once each, without a patient, for as long as it should."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner, Result
from sqlalchemy import text

from medsafe.cli import main
from medsafe.store import records
from medsafe.store import store as store_module
from medsafe.store.database import Database, StoreError, newest_revision
from medsafe.store.records import CardFeedback, IssuedCard, ShownAlert, keyed
from medsafe.store.reports import UNKNOWN_RULE, export, report
from medsafe.store.secret import installation_secret
from medsafe.store.store import MOST_PENDING, Store
from medsafe.store.tables import METADATA
from tests.conftest import ROOT

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = b"a secret of this installation, only for tests"


def card(rule: str = "effect:bleeding", version: str = "2026.11", issued_at: datetime | None = None) -> IssuedCard:
    when = issued_at or datetime.now(UTC)
    return IssuedCard(str(uuid4()), "medsafe-order-sign", rule, "bleeding", "high", "warning", version, when)


def told(
    card_id: str,
    outcome: str = "overridden",
    suggestions: tuple[str, ...] = (),
    reason: str | None = None,
    comment: str | None = None,
    received_at: datetime | None = None,
) -> CardFeedback:
    when = received_at or datetime.now(UTC)
    return CardFeedback(card_id, "medsafe-order-sign", outcome, suggestions, reason, comment, NOW, when)


@pytest.fixture
def kept(database_url: str) -> Iterator[Store]:
    store = Store(Database(database_url), SECRET, days=180)
    store.start()
    yield store
    store.close()


def written(store: Store) -> Store:
    """The store once nothing waits."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if store.flush(5) and not store.status()["pending"]:
            return store
    raise AssertionError(store.status())


def test_the_migrations_make_the_tables_that_the_code_uses(database_url: str) -> None:
    database = Database(database_url)
    assert database.upgrade() == ("", newest_revision())
    assert database.upgrade() == (newest_revision(), newest_revision())
    with database.begin(writes=False) as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    database.close()


def test_several_who_migrate_at_once_make_the_tables_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(Database.upgrade, databases))
    assert sorted(before for before, _ in done) == ["", *[newest_revision()] * 5]
    for database in databases:
        database.close()


def test_tables_of_a_newer_release_are_left_alone(database_url: str) -> None:
    database = Database(database_url)
    database.upgrade()
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    again = Database(database_url)
    with pytest.raises(StoreError, match="newer release"):
        again.upgrade()
    again.close()
    database.close()


def test_feedback_is_counted_for_the_rule_and_version_behind_its_card(kept: Store) -> None:
    cards = [card() for _ in range(3)] + [card("organ:x:renal", version="2026.12")]
    kept.keep(cards)
    kept.keep([told(cards[0].uuid, reason="will-monitor"), told(cards[1].uuid, reason="will-monitor")])
    kept.keep([told(cards[2].uuid, "accepted", ("s1",)), told(cards[3].uuid, "accepted", ("s1",))])
    with written(kept).database.begin(writes=False) as connection:
        first, second = report(connection)
    assert (first.rule, first.knowledge_version, first.cards) == ("effect:bleeding", "2026.11", 3)
    assert (first.accepted, first.overridden, first.reasons) == (1, 2, (("will-monitor", 2),))
    assert first.override_rate == pytest.approx(2 / 3)
    assert (second.rule, second.overridden, second.override_rate) == ("organ:x:renal", 0, 0)


def test_the_same_feedback_again_is_one_outcome_and_may_bring_its_reason_later(kept: Store) -> None:
    sent = card()
    kept.keep(
        [sent, told(sent.uuid), told(sent.uuid, reason="will-monitor"), told(sent.uuid, reason="tolerated-before")]
    )
    with written(kept).database.begin(writes=False) as connection:
        (row,) = export(connection)
    assert (row["times_sent"], row["reason"], row["rule"]) == (3, "will-monitor", "effect:bleeding")


def test_advice_taken_in_the_end_counts_as_accepted_once(kept: Store) -> None:
    sent = card()
    kept.keep([sent, told(sent.uuid), told(sent.uuid, "accepted", ("a",)), told(sent.uuid, "accepted", ("b",))])
    with written(kept).database.begin(writes=False) as connection:
        (row,) = report(connection)
        assert len(list(export(connection))) == 3
    assert (row.accepted, row.overridden) == (1, 0)


def test_feedback_on_cards_nobody_knows_is_kept_and_counted(kept: Store) -> None:
    kept.keep([told(str(uuid4())), told("")])
    with written(kept).database.begin(writes=False) as connection:
        (row,) = report(connection)
    assert (row.rule, row.overridden, row.cards) == (UNKNOWN_RULE, 2, 0)


def test_feedback_that_comes_before_its_card_is_counted_for_the_rule_all_the_same(kept: Store) -> None:
    sent = card()
    kept.keep([told(sent.uuid)])
    written(kept)
    kept.keep([sent])
    with written(kept).database.begin(writes=False) as connection:
        (row,) = report(connection)
    assert (row.rule, row.overridden) == ("effect:bleeding", 1)


def test_what_is_older_than_it_is_to_be_kept_is_deleted(kept: Store) -> None:
    for age in (179, 180, 181):
        when = NOW - timedelta(days=age)
        kept.keep([card(issued_at=when), told(str(uuid4()), received_at=when)])
    kept._mine().tidied_at = time.monotonic()
    with written(kept).database.begin() as connection:
        assert records.prune(connection, NOW, 180) == (1, 1)
        assert len(list(export(connection))) == 2


def test_the_service_deletes_what_is_too_old_by_itself(kept: Store) -> None:
    kept.keep([told(str(uuid4()), received_at=datetime.now(UTC) - timedelta(days=181))])
    with written(kept).database.begin(writes=False) as connection:
        assert list(export(connection)) == []


def test_an_export_begins_where_it_is_asked_to(kept: Store) -> None:
    kept.keep([told(str(uuid4()), received_at=datetime.now(UTC) - timedelta(days=age)) for age in (1, 2, 3)])
    with written(kept).database.begin(writes=False) as connection:
        assert len(list(export(connection, datetime.now(UTC) - timedelta(days=2, hours=1)))) == 2


def test_an_alert_is_remembered_until_its_time_and_forgotten_when_advice_was_taken(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "DEADLINE_S", 10)
    later, past = datetime.now(UTC) + timedelta(minutes=5), datetime.now(UTC) - timedelta(seconds=1)
    first, second, third = (keyed(SECRET, "alert", name) for name in "abc")
    one = str(uuid4())
    kept.keep([ShownAlert(first, one, later), ShownAlert(second, str(uuid4()), past), ShownAlert(third, one, later)])
    assert written(kept).seen_alerts([first, second, "unknown"]) == {first}
    kept.keep([told(one, "accepted", ("s",))])
    assert written(kept).seen_alerts([first, third]) == frozenset()


def test_a_token_is_taken_once_whoever_asks_at_the_same_time(
    kept: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "DEADLINE_S", 10)
    stores = [kept, Store(Database(database_url), SECRET, 180)]
    later = datetime.now(UTC) + timedelta(minutes=5)
    with ThreadPoolExecutor(8) as pool:
        for number in range(10):
            taken = pool.map(lambda n, k=f"token-{number}": stores[n % 2].take_token(k, later), range(4))
            assert sorted(taken) == [False, False, False, True]
    stores[1].close()


def test_two_processes_that_write_at_once_lose_nothing(kept: Store, database_url: str) -> None:
    program = (
        "import sys; from tests.store.test_store import *\n"
        "s = Store(Database(sys.argv[1]), SECRET, 180)\n"
        "for _ in range(200): s.keep([told(str(uuid4()))])\n"
        "s.close(20)\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", program, database_url], cwd=ROOT) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    with kept.database.begin(writes=False) as connection:
        assert len(list(export(connection))) == 400


def test_a_forked_worker_opens_its_own_connections(kept: Store) -> None:
    written(kept)
    child = os.fork()
    if child == 0:
        kept.keep([told(str(uuid4()))])
        kept.close(10)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    kept.keep([told(str(uuid4()))])
    with written(kept).database.begin(writes=False) as connection:
        assert len(list(export(connection))) == 2


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    store = Store(Database(f"sqlite:///{tmp_path / 'store.sqlite'}"), SECRET, 180)
    store.start()
    yield store
    store.close()


def failing(store: Store) -> dict[str, object]:
    """The status once the writer has met the fault."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        store.flush(5)
        status = store.status()
        if status["status"] == "failing":
            return status
    raise AssertionError(store.status())


def test_a_full_disk_is_told_and_what_waits_is_written_when_there_is_room_again(
    sqlite_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    written(sqlite_store)
    engine = sqlite_store.database._mine()
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with caplog.at_level(logging.INFO, "medsafe.store"):
        sqlite_store.keep(card() for _ in range(400))
        assert "FULL" in str(failing(sqlite_store)["because"])
        assert sqlite_store.status()["lost"] == 0
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        written(sqlite_store)
    lines = [record.medsafe["status"] for record in caplog.records if hasattr(record, "medsafe")]
    assert lines == ["failing", "working"]
    with sqlite_store.database.begin(writes=False) as connection:
        assert report(connection)[0].cards == 400


def test_a_store_that_stays_away_loses_what_is_too_much_and_counts_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = Store(Database(f"sqlite:///{tmp_path / 'file' / 'store.sqlite'}"), SECRET, 180)
    store.start()
    started = time.monotonic()
    lost = store.keep(card() for _ in range(MOST_PENDING + 1500))
    assert time.monotonic() - started < 1
    assert lost >= 1500 - store_module.BATCH
    assert failing(store)["lost"] == lost
    assert store.seen_alerts(["x"]) == frozenset()
    store.close(1)


def test_a_lock_held_by_another_never_holds_up_an_answer(sqlite_store: Store) -> None:
    written(sqlite_store)
    with sqlite3.connect(str(sqlite_store.database.url.database), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        sqlite_store.keep([card()])
        with pytest.raises(StoreError, match="slow"):
            sqlite_store.take_token("t", datetime.now(UTC) + timedelta(minutes=1))
        with pytest.raises(StoreError, match="resting"):
            sqlite_store.take_token("u", datetime.now(UTC) + timedelta(minutes=1))
        assert time.monotonic() - started < 2
        other.execute("ROLLBACK")
    other.close()


def test_a_database_file_that_is_taken_away_is_made_anew(sqlite_store: Store) -> None:
    written(sqlite_store)
    Path(str(sqlite_store.database.url.database)).unlink()
    sent = card()
    sqlite_store.keep([sent])
    with written(sqlite_store).database.begin(writes=False) as connection:
        assert report(connection)[0].cards == 1


def test_a_record_that_the_database_refuses_does_not_stop_the_others(sqlite_store: Store) -> None:
    broken = card()
    object.__setattr__(broken, "rule", None)
    sqlite_store.keep([card(), broken, card()])
    with written(sqlite_store).database.begin(writes=False) as connection:
        assert report(connection)[0].cards == 2
    assert sqlite_store.status()["lost"] == 1


def test_a_failure_is_told_without_the_password_in_the_url(caplog: pytest.LogCaptureFixture) -> None:
    store = Store(Database("postgresql://medsafe:hunter2@127.0.0.1:1/medsafe"), SECRET, 180)
    with caplog.at_level(logging.INFO, "medsafe.store"):
        store.start()
    assert [record.medsafe["status"] for record in caplog.records if hasattr(record, "medsafe")] == ["failing"]
    assert "hunter2" not in str([vars(record) for record in caplog.records])
    store.close(1)


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.secret"
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: installation_secret(None, path), range(8)))
    assert len(made) == 1
    assert len(made.pop()) >= 32
    assert path.stat().st_mode & 0o077 == 0
    assert [p.name for p in path.parent.iterdir()] == ["store.secret"]


def run(url: str, *words: str, **environ: str) -> Result:
    return CliRunner().invoke(main, words, env={"MEDSAFE_STORE_URL": url, **environ})


def test_the_commands_export_and_report(kept: Store, database_url: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    ask = lambda *words: run(database_url, *words, MEDSAFE_SECRET_FILE=str(secret)).stdout  # noqa: E731
    sent = card()
    kept.keep([sent, told(sent.uuid, reason="will-monitor", comment="=HYPERLINK(1)")])
    written(kept)
    (row,) = csv.DictReader(io.StringIO(ask("feedback", "export")))
    assert (row["rule"], row["reason"], row["comment"]) == ("effect:bleeding", "will-monitor", "'=HYPERLINK(1)")
    lines = ask("feedback", "export", "--format", "ndjson", "--since", "2026-01-01").splitlines()
    assert [json.loads(line)["card"] for line in lines] == [sent.uuid]
    assert ask("feedback", "export", "--format", "ndjson", "--since", "2999-01-01") == ""
    (shown,) = json.loads(ask("feedback", "report", "--json"))
    assert (shown["rule"], shown["override_rate"], shown["reasons"]) == ("effect:bleeding", 1.0, {"will-monitor": 1})
    assert "effect:bleeding" in ask("feedback", "report")
    assert "already at" in ask("store", "upgrade")
    assert "deleted 0 cards" in ask("feedback", "prune", "--days", "3")


def test_a_store_that_can_not_be_used_is_told_by_the_commands_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = run(f"sqlite:///{tmp_path / 'file' / 's.sqlite'}", "feedback", "report")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: the sqlite store can't be used")
    assert done.stderr.count("\n") == 1

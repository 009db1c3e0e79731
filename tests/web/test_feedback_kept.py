"""From a card to the report of its rule, on the real application; nothing of the patient on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from medsafe.settings import Settings
from medsafe.store.database import Database
from medsafe.store.reports import RuleReport, export, report
from medsafe.web.app import create_app
from tests.conftest import ROOT
from tests.fixtures.cds.calls import SELECT, SIGN, TODAY, Json, call, dosage, draft, full_prefetch, order
from tests.serving import served

PATIENT, ENCOUNTER, CLINICIAN = "zebedee-4711", "encounter-0815", "Practitioner/doc-42"
COMMENT = "Mrs Shaw of ward 7 cried"


def app_with(folder: Path, **settings: Any) -> FlaskClient:
    kept = Settings(ROOT, store_url=f"sqlite:///{folder / 'store.sqlite'}", **settings)
    app = create_app(ROOT, kept)
    app.config["MEDSAFE_TODAY"] = TODAY
    return app.test_client()


def asking(
    hook: str, option: str = "", who: str = CLINICIAN, where: str = ENCOUNTER, dose: float = 10, drug: str = "ketorolac"
) -> Json:
    """A call about ketorolac for a patient on warfarin: contraindicated. With fluconazole it is serious, no more."""
    new = draft(f"{drug} 10 mg tablet", "d1", dosage(dose, "mg", 4))
    more = {"selections": ["MedicationRequest/d1"]} if hook == "order-select" else {}
    body = call(new, hook=hook, prefetch=full_prefetch(order("warfarin", "m1", dosage(5))), **more)
    body["context"] |= {"userId": who, "patientId": PATIENT, "encounterId": where}
    return {**body, "extension": {"pddi-configuration-items": {option: True}}} if option else body


def cards(client: FlaskClient, body: Json, service: str) -> list[Json]:
    answer = client.post(f"/cds-services/{service}", json=body)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.get_json()["cards"]
    client.application.extensions["medsafe.store"].flush(10)
    return found


def loud(listed: list[Json]) -> list[Json]:
    """The cards on the bleeding that the pair causes."""
    return [c for c in listed if c["source"]["topic"]["code"] == "bleeding"]


def say(client: FlaskClient, card: str, outcome: str = "overridden", **more: Any) -> None:
    item = {"card": card, "outcome": outcome, "outcomeTimestamp": "2026-11-23T12:00:00Z", **more}
    assert client.post(f"/cds-services/{SIGN}/feedback", json={"feedback": [item]}).status_code == 200
    assert client.application.extensions["medsafe.store"].flush(10)


def rules(client: FlaskClient) -> list[RuleReport]:
    with client.application.extensions["medsafe.store"].database.begin(writes=False) as connection:
        return report(connection)


def test_an_override_is_reported_for_the_rule_and_version_of_its_card(tmp_path: Path) -> None:
    client = app_with(tmp_path)
    (card,) = loud(cards(client, asking("order-sign"), SIGN))
    reason = {"reason": {"code": "will-monitor", "system": "x"}, "userComment": COMMENT}
    say(client, card["uuid"], overrideReason=reason)
    top = rules(client)[0]
    version = client.get("/v1/knowledge").get_json()["version"]
    assert (top.hazard, top.knowledge_version, top.cards, top.overridden) == ("bleeding", version, 1, 1)
    assert top.reasons == (("will-monitor", 1),)
    assert top.rule not in ("", "unknown-card")
    client.application.extensions["medsafe.store"].close()
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("store.sqlite*"))
    for word in (PATIENT, ENCOUNTER, "doc-42", "Shaw", "warfarin 5"):
        assert word.encode() not in raw, word


@pytest.mark.parametrize(("keep", "kept"), [(False, None), (True, COMMENT)])
def test_a_comment_is_kept_only_where_the_operator_decided_so(tmp_path: Path, keep: bool, kept: str | None) -> None:
    client = app_with(tmp_path, keep_comments=keep)
    say(client, "0f8fad5b-d9cb-469f-a165-70867728950e", overrideReason={"userComment": COMMENT})
    with client.application.extensions["medsafe.store"].database.begin(writes=False) as connection:
        assert [row["comment"] for row in export(connection)] == [kept]
    client.application.extensions["medsafe.store"].close()


def test_what_is_no_uuid_and_no_plain_reason_is_not_kept_as_it_is(tmp_path: Path) -> None:
    client = app_with(tmp_path)
    say(client, PATIENT, overrideReason={"reason": {"code": "MRN 4711", "system": "x"}})
    with client.application.extensions["medsafe.store"].database.begin(writes=False) as connection:
        (row,) = export(connection)
    assert (row["card"], row["reason"]) == ("", "other")
    client.application.extensions["medsafe.store"].close()


REMEMBER, FILTER = "cache-for-order-sign-filtering", "filter-out-repeated-alerts"


def topics(listed: list[Json]) -> set[str]:
    return {c["source"]["topic"]["code"] for c in listed}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[FlaskClient]:
    found = app_with(tmp_path)
    yield found
    found.application.extensions["medsafe.store"].close()


def test_an_alert_shown_at_selection_is_repeated_unless_both_calls_ask_for_it(fresh: FlaskClient) -> None:
    for select, sign in (("", FILTER), (REMEMBER, ""), ("", "")):
        client_of = f"Practitioner/{select}-{sign}"
        assert loud(cards(fresh, asking("order-select", select, client_of), SELECT))
        assert loud(cards(fresh, asking("order-sign", sign, client_of), SIGN))


def serious(hook: str, option: str = "", who: str = CLINICIAN, where: str = ENCOUNTER) -> Json:
    return asking(hook, option, who, where, dose=50, drug="fluconazole")


def test_an_alert_is_left_out_for_the_same_clinician_patient_and_encounter_only(fresh: FlaskClient) -> None:
    before = topics(cards(fresh, serious("order-select", REMEMBER), SELECT))
    assert "exposure-increase" in before
    after = topics(cards(fresh, serious("order-sign", FILTER), SIGN))
    assert "exposure-increase" not in after
    assert "repeated-alerts" in after
    for other in (serious("order-sign", FILTER, "Practitioner/x"), serious("order-sign", FILTER, where="another")):
        shown = topics(cards(fresh, other, SIGN))
        assert "exposure-increase" in shown
        assert "repeated-alerts" not in shown


def test_what_is_contraindicated_is_always_shown_again(fresh: FlaskClient) -> None:
    cards(fresh, asking("order-select", REMEMBER), SELECT)
    (shown,) = loud(cards(fresh, asking("order-sign", FILTER), SIGN))
    assert shown["indicator"] == "critical"


def test_a_call_that_does_not_say_who_asks_is_not_filtered(fresh: FlaskClient) -> None:
    nameless = [asking("order-select", REMEMBER), asking("order-sign", FILTER)]
    for body in nameless:
        del body["context"]["userId"]
    cards(fresh, nameless[0], SELECT)
    assert "repeated-alerts" not in topics(cards(fresh, nameless[1], SIGN))


def test_an_alert_comes_again_once_its_advice_was_taken(fresh: FlaskClient) -> None:
    for card in cards(fresh, serious("order-select", REMEMBER), SELECT):
        say(fresh, card["uuid"], "accepted", acceptedSuggestions=[{"id": "any"}])
    assert "exposure-increase" in topics(cards(fresh, serious("order-sign", FILTER), SIGN))


def test_when_the_store_fails_the_check_goes_on_and_the_loss_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    client = app_with(tmp_path / "file")
    assert loud(cards(client, asking("order-sign", FILTER), SIGN))
    ready = client.get("/readyz")
    told = ready.get_json()["store"]
    assert (ready.status_code, told["status"]) == (200, "failing")
    assert told["pending"] + told["lost"] > 0
    assert "medsafe_store_failing 1.0" in client.get("/metrics").text
    client.application.extensions["medsafe.store"].close(1)


def test_a_read_only_store_is_told_and_the_check_goes_on(fresh: FlaskClient) -> None:
    store = fresh.application.extensions["medsafe.store"]
    assert store.flush(10)
    store.database.close()
    event.listen(store.database._mine(), "connect", lambda raw, _: raw.execute("PRAGMA query_only = ON"))
    assert loud(cards(fresh, asking("order-sign"), SIGN))
    assert not store.flush(10)
    assert "READONLY" in store.status()["because"]


def test_feedback_given_to_one_machine_is_counted_for_the_card_that_another_showed(
    tmp_path: Path, postgres_url: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 40, encoding="utf-8")
    environ = {"MEDSAFE_STORE_URL": postgres_url, "MEDSAFE_SECRET_FILE": str(secret)}
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with served(ROOT, folders[0], **environ) as one, served(ROOT, folders[1], **environ) as two:
        status, answer, _ = one.ask(f"/cds-services/{SIGN}", asking("order-sign"))
        assert status == 200
        (card,) = loud(json.loads(answer)["cards"])
        item = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-23T12:00:00Z"}
        assert two.ask(f"/cds-services/{SIGN}/feedback", {"feedback": [item]})[0] == 200
    # Both have ended, and with that written what still waited.
    database = Database(postgres_url)
    with closing(database), database.begin(writes=False) as connection:
        (told,) = [r for r in report(connection) if r.hazard == "bleeding" and r.overridden]
    assert (told.cards, told.overridden) == (1, 1)

"""New data come into service without a restart, whole or not at all, and everyone is told which."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask

from medsafe import service as service_module
from medsafe.library.load import DataError, digest_of
from medsafe.service import Service, read_version
from medsafe.settings import Settings
from medsafe.web.app import create_app
from medsafe.web.reload import fingerprint, watch
from tests.serving import KEY, KEY_DIGEST, Server, break_data, mend_data, release, served, small_data

BODY = {"regimen": [{"drug": "morphine", "dose": 5, "unit": "mg", "route": "oral", "times_per_day": 6}]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_data(tmp_path / "data")


@pytest.fixture
def state(root: Path) -> Service:
    found = Service(root)
    found.start()
    return found


def version(state: Service) -> str:
    assert state.engine is not None
    return state.engine.knowledge.version


def test_new_data_replace_the_old(state: Service, root: Path) -> None:
    release(root, "next")
    assert state.reload().outcome == "loaded"
    assert version(state) == "next"


def test_bad_data_are_refused_with_every_reason_and_the_old_stay(state: Service, root: Path) -> None:
    before = version(state)
    release(root, "next")
    break_data(root)
    (root / "formulary" / "drugs" / "morphine.toml").write_text('name = "morphine"\nsilly = 1\n', encoding="utf-8")
    done = state.reload()
    assert done.outcome == "refused"
    assert any("half-written.toml" in problem for problem in done.problems)
    assert any("silly" in problem for problem in done.problems)
    assert (version(state), state.ready) == (before, True)


def test_data_whose_canary_does_not_sing_are_refused(state: Service, root: Path) -> None:
    canary = root / "interaction_data" / "canaries" / "impossible.toml"
    expect = '[request]\nregimen = []\n[expect]\nstatus = "all-clear"\n'
    canary.write_text(f'title = "impossible"\n{expect}', encoding="utf-8")
    done = state.reload()
    assert done.outcome == "refused"
    assert "impossible" in done.problems[0]
    assert state.ready


def test_whatever_goes_wrong_with_new_data_the_old_stay(
    state: Service, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(root, "next")
    monkeypatch.setattr(service_module, "failed_canaries", lambda *_: 1 / 0)
    assert state.reload().outcome == "refused"
    assert state.ready


def test_data_that_did_not_change_are_not_loaded_again(state: Service) -> None:
    held = state.engine
    assert state.reload().outcome == "unchanged"
    assert state.engine is held


def test_files_that_change_while_they_are_read_are_never_served(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = iter(f"{n}" for n in range(100))
    monkeypatch.setattr(service_module, "digest_of", lambda _: next(digests))
    with pytest.raises(DataError) as told:
        read_version(root)
    assert "changed while they were read" in str(told.value.problems[0])


def test_a_request_keeps_the_version_it_began_with(state: Service, root: Path) -> None:
    before = version(state)
    state.pin()
    release(root, "next")
    state.reload()
    assert version(state) == before
    state.unpin()
    assert version(state) == "next"


def test_another_thread_sees_the_new_version_while_a_request_keeps_the_old(state: Service, root: Path) -> None:
    state.pin()
    release(root, "next")
    state.reload()
    seen: list[str] = []
    thread = Thread(target=lambda: seen.append(version(state)))
    thread.start()
    thread.join()
    assert seen == ["next"]


@pytest.fixture
def app(root: Path) -> Flask:
    return create_app(root, Settings(root, api_keys=(bytes.fromhex(KEY_DIGEST),)))


def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_reload_over_http_needs_a_key(root: Path) -> None:
    open_app = create_app(root, Settings(root)).test_client()
    assert open_app.post("/v1/knowledge/reload").status_code == 403
    guarded = create_app(root, Settings(root, api_keys=(bytes.fromhex(KEY_DIGEST),))).test_client()
    assert guarded.post("/v1/knowledge/reload").status_code == 401


def test_a_reload_over_http_is_told_by_readyz_and_metrics(app: Flask, root: Path) -> None:
    client = app.test_client()
    break_data(root)
    assert client.post("/v1/knowledge/reload", headers={"X-API-Key": KEY}).status_code == 202
    eventually(lambda: client.get("/readyz").get_json()["reloads"]["refused"] == 1)
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert "half-written.toml" in ready.get_json()["reloads"]["last"]["problems"][0]
    metrics = client.get("/metrics").text
    assert 'medsafe_reloads_total{outcome="refused"} 1.0' in metrics
    assert f'digest="{ready.get_json()["digest"]}"' in metrics


def test_the_log_says_that_data_were_refused(
    state: Service, root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from medsafe.web.reload import reload_now

    monkeypatch.setattr("medsafe.web.reload.LOG.propagate", True)
    break_data(root)
    reload_now(state)
    told: Any = caplog.records[-1]
    assert told.levelname == "ERROR"
    assert told.medsafe["outcome"] == "refused"


def test_the_fingerprint_sees_every_kind_of_edit(root: Path) -> None:
    seen = [fingerprint(root)]
    release(root, "next")
    seen.append(fingerprint(root))
    break_data(root)
    seen.append(fingerprint(root))
    (root / "formulary" / "drugs" / "morphine.toml").unlink()
    seen.append(fingerprint(root))
    assert len(set(seen)) == 4


def test_the_watch_tells_once_when_the_files_hold_still(root: Path) -> None:
    told, stop = [], Event()
    thread = Thread(target=watch, args=(root, 0.05, lambda: told.append(1), stop))
    thread.start()
    time.sleep(0.3)
    assert told == []
    release(root, "next")
    eventually(lambda: bool(told))
    time.sleep(0.3)
    stop.set()
    thread.join()
    assert told == [1]


class Load:
    """Clients that ask without pause and keep what they were told."""

    def __init__(self, server: Server, clients: int = 3) -> None:
        self.server, self.stop = server, Event()
        self.answers: list[tuple[float, str, str]] = []
        self.failed: list[str] = []
        self.threads = [Thread(target=self._ask) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self) -> None:
        while not self.stop.is_set():
            try:
                status, raw, _ = self.server.ask("/v1/check", BODY)
                known = json.loads(raw)["knowledge"] if status == 200 else {}
                if not known:
                    self.failed.append(str(status))
                else:
                    self.answers.append((time.monotonic(), known["version"], known["digest"]))
            except (OSError, HTTPException, ValueError) as error:
                self.failed.append(repr(error))

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        """The clients stop whatever became of the test: left behind they would keep the process from ending."""
        self.stop.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[Server]:
    with served(root, tmp_path, MEDSAFE_RATE_PER_MINUTE="0") as found:
        yield found


def test_all_workers_answer_from_the_new_version_within_two_seconds_and_no_request_fails(
    server: Server, root: Path
) -> None:
    with Load(server) as load:
        digests = {server.ready()["version"]: digest_of(root)}
        for round_ in range(3):
            name = f"round-{round_}"
            release(root, name)
            digests[name] = digest_of(root)
            assert server.ask("/v1/knowledge/reload", b"")[0] == 202
            server.until(lambda r, name=name: r["version"] == name)
            seen_at = time.monotonic()
            time.sleep(1.0)
            # A busy machine may answer nothing for a while: what counts is that the next answer is from the new version.
            while not (late := {v for at, v, _ in load.answers if at > seen_at + 0.7}):
                assert time.monotonic() < seen_at + 20, "no answer for twenty seconds"
                time.sleep(0.1)
            assert late == {name}
    assert load.failed == []
    assert all(digests[version] == digest for _, version, digest in load.answers)


def test_under_gunicorn_bad_data_are_refused_and_mended_data_taken(server: Server, root: Path) -> None:
    before = server.ready()["version"]
    with Load(server) as load:
        release(root, "mended")
        break_data(root)
        os.kill(server.process.pid, signal.SIGHUP)
        told = server.until(lambda r: r["reloads"]["refused"] == 1)
        assert (told["status"], told["version"]) == ("ready", before)
        assert "half-written.toml" in told["reloads"]["last"]["problems"][0]
        mend_data(root)
        os.kill(server.process.pid, signal.SIGHUP)
        server.until(lambda r: r["version"] == "mended")
    assert load.failed == []
    assert '"outcome":"refused"' in server.log.read_text()


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_killed_worker_is_replaced_with_the_version_in_service(server: Server, root: Path) -> None:
    release(root, "after")
    server.ask("/v1/knowledge/reload", b"")
    server.until(lambda r: r["version"] == "after")
    old = _children(server.process.pid)
    for worker in old:
        os.kill(worker, signal.SIGKILL)
    eventually(lambda: len(set(_children(server.process.pid)) - set(old)) >= 2)
    assert {server.ready()["version"] for _ in range(20)} == {"after"}


def test_the_watch_brings_new_data_into_service_by_itself(root: Path, tmp_path: Path) -> None:
    with served(root, tmp_path, MEDSAFE_WATCH_SECONDS="0.2") as server:
        release(root, "seen")
        assert server.until(lambda r: r["version"] == "seen")["reloads"]["loaded"] == 1


def test_the_counts_of_all_workers_are_added_up(server: Server) -> None:
    for _ in range(20):
        server.ask("/v1/check", BODY)
    os.kill(server.process.pid, signal.SIGHUP)
    server.until(lambda r: r["reloads"]["attempts"] == 1)
    for _ in range(20):
        server.ask("/v1/check", BODY)
    metrics = server.ask("/metrics")[1].decode()
    assert 'medsafe_requests_total{endpoint="checks.check",status="200"} 40.0' in metrics


def test_the_server_stops_when_asked_and_clears_its_metrics_away(root: Path, tmp_path: Path) -> None:
    with served(root, tmp_path, TMPDIR=str(tmp_path)) as server:
        assert list(tmp_path.glob("medsafe-metrics-*"))
    assert server.process.returncode == 0
    assert not list(tmp_path.glob("medsafe-metrics-*"))

"""Real PostgreSQL and Redis servers for tests: those named by the environment, else our own where the programs are there."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis

POSTGRES, REDIS = "MEDSAFE_TEST_POSTGRES_URL", "MEDSAFE_TEST_REDIS_URL"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL here."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if folders:
        return folders[-1]
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def own_postgres(programs: Path) -> Iterator[str]:
    """A server of our own in a temporary folder; root may not run one, so it becomes nobody."""
    folder, port = Path(tempfile.mkdtemp(prefix="medsafe-pg-")), free_port()
    user = "nobody" if os.geteuid() == 0 else getpass.getuser()
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    data = folder / "data"
    run = lambda *words: subprocess.run(words, check=True, capture_output=True, user=user, cwd=folder)  # noqa: E731
    try:
        run(str(programs / "initdb"), "-D", str(data), "-U", "medsafe", "--auth=trust", "--no-sync", "-E", "UTF8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        run(str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
        yield f"postgresql://medsafe@127.0.0.1:{port}/postgres"
    finally:
        stop = [str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(stop, check=False, capture_output=True, user=user, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_redis(port: int = 0) -> Iterator[str]:
    """A server of our own that keeps nothing on disk."""
    port = port or free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        deadline = time.monotonic() + 10
        with redis.Redis.from_url(url) as client:
            while time.monotonic() < deadline:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of an empty database, dropped at the end."""
    name = f"medsafe_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield server.rpartition("/")[0] + f"/{name}"
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    if given := os.environ.get(POSTGRES):
        yield given
        return
    programs = _postgres_programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL here: install it or set {POSTGRES}")
    with own_postgres(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def redis_url() -> Iterator[str]:
    if given := os.environ.get(REDIS):
        yield given
        return
    if shutil.which("redis-server") is None:
        pytest.skip(f"no Redis here: install it or set {REDIS}")
    with own_redis() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each test with it runs on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    found: str = request.getfixturevalue("postgres_url")
    return found

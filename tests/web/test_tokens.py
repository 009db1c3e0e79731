"""Signed tokens of CDS Hooks clients: real keys, a real address of keys, a real server; whatever is not right is refused."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from medsafe.clients import Client
from medsafe.settings import Settings
from medsafe.web.app import create_app
from medsafe.web.keysets import BETWEEN_FETCHES_S, FRESH_S, STALE_S, KeySet, usable_keys
from medsafe.web.limits import Limits, SharedMemory
from medsafe.web.tokens import REPLAY_UNSHARED, TokenError, Tokens
from tests.databases import free_port
from tests.serving import KEY, KEY_DIGEST, Server, served, small_data

PUBLIC = "https://medsafe.example.org"
ISSUER, OTHER = "https://ehr.example.org", "https://other.example.org"
LIST, SIGN = "/cds-services", "/cds-services/medsafe-order-sign"
P384, P384_B = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
P256 = ec.generate_private_key(ec.SECP256R1())
RSA, RSA_SHORT = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)


def public(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    maker = jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else jwt.algorithms.RSAAlgorithm
    found: dict[str, Any] = json.loads(maker.to_jwk(key.public_key()))
    return {**found, "kid": kid, **more}


def private(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    return {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key)), "kid": kid}


SYMMETRIC = {"kty": "oct", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldCBzZWNyZXQ", "kid": "oct"}


def token(
    path: str = LIST,
    key: Any = P384,
    algorithm: str = "ES384",
    head: dict[str, Any] | None = None,
    without: str = "",
    **claims: Any,
) -> str:
    now = int(time.time())
    body = {"iss": ISSUER, "aud": PUBLIC + path, "iat": now, "exp": now + 300, "jti": uuid4().hex, **claims}
    body.pop(without, None)
    return jwt.encode(body, key, algorithm, {"kid": "ec", "typ": "JWT", **(head or {})})


@dataclass
class KeyServer:
    """Publishes keys, counts who asks, and misbehaves on demand."""

    port: int
    keys: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    status: int = 200
    size: int = 0
    pause: float = 0.0
    location: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks.json"


@contextmanager
def publishing(*keys: dict[str, Any]) -> Iterator[KeyServer]:
    state = KeyServer(free_port(), list(keys))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            self.send_response(state.status)
            if state.location:
                self.send_header("Location", state.location)
            self.end_headers()
            raw = json.dumps({"keys": state.keys}).encode() + b" " * state.size
            for part in (raw[:5], raw[5:]):
                self.wfile.write(part)
                self.wfile.flush()
                time.sleep(state.pause)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", state.port), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_data(tmp_path_factory.mktemp("tokens") / "data")


@pytest.fixture(scope="module")
def key_server() -> Iterator[KeyServer]:
    with publishing(
        public(P384, "ec"), public(RSA, "rsa"), public(P256, "p256"), public(RSA_SHORT, "short"), SYMMETRIC
    ) as found:
        yield found


Ask = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def ask(root: Path, key_server: KeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """(status, text) of a call with a token."""
    clients = (
        Client(ISSUER, key_server.url, tenants=frozenset({"ward-7"}), may=frozenset({"cds", "v1"})),
        Client(OTHER, keys=(public(P384_B, "ec"),)),
    )
    settings = Settings(
        root,
        public_url=PUBLIC,
        jwt_clients=clients,
        api_keys=(bytes.fromhex(KEY_DIGEST),),
        cors_origins=frozenset({"https://ehr.example.org"}),
        store_url=f"sqlite:///{tmp_path_factory.mktemp('store') / 's.sqlite'}",
    )
    app = create_app(root, settings)
    client = app.test_client()

    def call(bearer: str | None, path: str = LIST, body: Any = None, **headers: str) -> tuple[int, str]:
        named = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
        method = "POST" if body is not None else "GET"
        answer = client.open(path, method=method, json=body, headers={**named, **headers})
        return answer.status_code, answer.text

    yield call
    app.extensions["medsafe.store"].close()


def good(path: str = LIST, **more: Any) -> str:
    return token(path, **{"tenant": "ward-7", **more})


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(P384, "ES384", "ec"), (RSA, "RS384", "rsa")])
def test_must_47_a_token_of_an_allowed_client_opens_the_services(ask: Ask, key: Any, algorithm: str, kid: str) -> None:
    assert ask(good(key=key, algorithm=algorithm, head={"kid": kid}))[0] == 200


def test_must_45_every_call_of_the_services_needs_a_token_made_for_its_own_address(ask: Ask) -> None:
    for path, body in ((LIST, None), (SIGN, {}), (SIGN + "/feedback", {})):
        assert ask(None, path, body)[0] == 401
        assert ask(good(path), path, body)[0] == (400 if body is not None else 200)
    assert ask(good(SIGN), SIGN + "/feedback", {})[0] == 401
    assert ask(good(SIGN + "/feedback"), SIGN, {})[0] == 401


def test_must_46_an_audience_may_be_a_list_that_names_the_address(ask: Ask) -> None:
    assert ask(good(aud=["https://elsewhere.example", PUBLIC + LIST]))[0] == 200


def test_the_host_header_has_no_say_in_the_address(ask: Ask) -> None:
    assert ask(good(aud="https://evil.example" + LIST), Host="evil.example")[0] == 401
    assert ask(good(), Host="evil.example")[0] == 200


# `iat` and `exp` in seconds from now.
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("audience", {"aud": PUBLIC}),
    ("audience", {"aud": PUBLIC + LIST + "/"}),
    ("audience", {"aud": PUBLIC.upper() + LIST}),
    ("audience", {"aud": [PUBLIC + SIGN]}),
    ("issuer", {"iss": "https://stranger.example"}),
    ("issuer", {"without": "iss"}),
    ("expired", {"iat": -400, "exp": -100}),
    ("not-yet-valid", {"iat": 3000, "exp": 3100}),
    ("lifetime", {"iat": 0, "exp": 100_000}),
    ("lifetime", {"iat": -5, "exp": -6}),
    ("claim-missing", {"without": "aud"}),
    ("claim-missing", {"without": "exp"}),
    ("claim-missing", {"without": "iat"}),
    ("claim-missing", {"without": "jti"}),
    ("jti", {"jti": ""}),
    ("jti", {"jti": "x" * 300}),
    ("tenant", {"tenant": "ward-8"}),
    ("tenant", {"without": "tenant"}),
    ("key", {"head": {"kid": "unheard-of"}}),
    ("key", {"head": {"kid": "p256"}, "key": P384}),
    ("key", {"head": {"kid": "short"}, "key": RSA, "algorithm": "RS384"}),
    ("type", {"head": {"typ": "at+jwt"}}),
    ("malformed", {"head": {"crit": ["b64"]}}),
    ("algorithm", {"key": "", "algorithm": "none"}),
    ("algorithm", {"key": "secret" * 10, "algorithm": "HS384", "head": {"kid": "oct"}}),
    ("algorithm", {"key": P256, "algorithm": "ES256", "head": {"kid": "p256"}}),
    ("algorithm", {"key": RSA, "algorithm": "RS256", "head": {"kid": "rsa"}}),
    ("algorithm", {"key": RSA, "algorithm": "RS384"}),
    ("signature", {"key": P384_B}),
    ("jku", {"head": {"jku": "https://evil.example/jwks.json"}}),
]


@pytest.mark.parametrize(("because", "wrong"), REFUSED, ids=lambda v: v if isinstance(v, str) else str(v)[:50])
def test_must_46_whatever_is_not_right_is_refused_with_one_word_why(
    ask: Ask, because: str, wrong: dict[str, Any]
) -> None:
    now = int(time.time())
    status, text = ask(good(**{k: now + v if k in ("iat", "exp") else v for k, v in wrong.items()}))
    assert (status, json.loads(text)["resourceType"]) == (401, "OperationOutcome")
    assert f"({because})" in text


def test_must_47_no_algorithm_opens_but_the_two_that_are_pinned(ask: Ask) -> None:
    """Every algorithm of the library is tried with a key that fits it; what is named in the head decides nothing."""
    curves = {"ES256": P256, "ES384": P384, "ES512": ec.generate_private_key(ec.SECP521R1())}
    fitting = {**curves, **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA)}
    fitting |= dict.fromkeys(("HS256", "HS384", "HS512"), "s" * 64) | {"none": ""}
    kid = {"ES384": "ec"} | dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "rsa")
    opened = {
        name
        for name, key in fitting.items()
        if ask(good(key=key, algorithm=name, head={"kid": kid.get(name, "ec")}))[0] == 200
    }
    assert opened == {"ES384", "RS384"}


def test_must_47_a_public_key_is_no_shared_secret(ask: Ask) -> None:
    """A token signed by HMAC with the published key as its secret, the oldest trick."""
    pem = P384.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head = {"alg": "HS384", "typ": "JWT", "kid": "ec"}
    claims = jwt.decode(good(), options={"verify_signature": False})
    parts = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, claims)
    )
    signature = hmac.new(pem, parts.encode(), "sha384").digest()
    assert ask(f"{parts}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")[0] == 401


def test_the_keys_of_one_client_do_not_open_for_another(ask: Ask, key_server: KeyServer) -> None:
    assert ask(token(iss=OTHER, key=P384_B))[0] == 200
    assert ask(token(iss=OTHER, key=P384))[0] == 401
    assert ask(token(iss=OTHER, key=P384_B, head={"jku": key_server.url}))[0] == 401
    assert ask(good(head={"jku": key_server.url}))[0] == 200


@pytest.mark.parametrize("bearer", ["", "x", "a.b.c", "a.b", "é.é.é", "e30.e30.", "." * 9000])
def test_what_is_no_token_is_refused(ask: Ask, bearer: str) -> None:
    assert ask(bearer)[0] == 401


def test_a_token_is_good_for_one_call(ask: Ask) -> None:
    once = good()
    assert [ask(once)[0] for _ in range(3)] == [200, 401, 401]
    same = uuid4().hex
    assert ask(good(jti=same))[0] == 200
    assert "(replay)" in ask(good(jti=same))[1]


def test_an_api_key_does_not_open_the_services_but_still_opens_the_rest(ask: Ask) -> None:
    assert ask(None, LIST, **{"X-API-Key": KEY})[0] == 401
    assert ask(None, "/v1/knowledge", **{"X-API-Key": KEY})[0] == 200
    assert ask(KEY, "/v1/knowledge")[0] == 200


def test_a_token_opens_v1_only_for_a_client_that_may(ask: Ask) -> None:
    path = "/v1/knowledge"
    assert ask(good(path), path)[0] == 200
    status, text = ask(token(path, iss=OTHER, key=P384_B), path)
    assert (status, "(not-allowed-here)" in text) == (401, True)
    assert ask(None, path)[0] == 401


def test_a_token_never_reloads_the_knowledge(ask: Ask) -> None:
    path = "/v1/knowledge/reload"
    assert ask(good(path), path, {})[0] == 403


def test_must_50_a_preflight_of_a_named_origin_needs_no_token_and_allows_the_header(root: Path, ask: Ask) -> None:
    clients = (Client(OTHER, keys=(public(P384_B, "ec"),)),)
    origin = "https://ehr.example.org"
    app = create_app(root, Settings(root, public_url=PUBLIC, jwt_clients=clients, cors_origins=frozenset({origin})))
    wish = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = app.test_client().options(SIGN, headers=wish)
    assert answer.status_code == 204
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert app.test_client().options(SIGN, headers={**wish, "Origin": "https://evil.example"}).status_code == 401


@pytest.mark.parametrize(("path", "method", "status"), [(SIGN + "/a/b", "GET", 404), (LIST, "DELETE", 405)])
def test_errors_at_the_services_are_operation_outcomes(
    ask: Ask, root: Path, path: str, method: str, status: int
) -> None:
    answer = create_app(root, Settings(root)).test_client().open(path, method=method)
    assert (answer.status_code, answer.get_json()["resourceType"]) == (status, "OperationOutcome")


def test_while_the_shared_memory_is_away_each_worker_refuses_what_it_saw_itself_and_tells() -> None:
    away = SharedMemory("redis://127.0.0.1:1/0")
    tokens = Tokens((Client(OTHER, keys=(public(P384_B, "ec"),)),), 300, away)
    before = REPLAY_UNSHARED._value.get()
    bearer = tokens.judge(token(iss=OTHER, key=P384_B), PUBLIC + LIST, "cds")
    tokens.use(bearer)
    with pytest.raises(TokenError, match="replay"):
        tokens.use(bearer)
    assert REPLAY_UNSHARED._value.get() == before + 1
    assert away.status()["status"] == "failing"


def test_while_redis_is_away_each_worker_limits_for_itself() -> None:
    limits = Limits(3, SharedMemory("redis://127.0.0.1:1/0"))
    started = time.monotonic()
    assert [limits.wait("a") > 0 for _ in range(5)] == [False, False, False, True, True]
    assert limits.wait("b") == 0
    assert time.monotonic() - started < 1


# The keys of a client


def test_must_47_private_symmetric_weak_and_foreign_keys_are_passed_over() -> None:
    usable = [public(P384, "a"), public(RSA, "b", use="sig", alg="RS384")]
    others = [
        private(P384, "c"),
        SYMMETRIC,
        public(RSA_SHORT, "d"),
        public(P256, "e"),
        public(RSA, "f", use="enc"),
        public(RSA, "g", alg="RS256"),
        {"kty": "RSA", "kid": "h", "n": "!", "e": "!"},
        {key: value for key, value in public(P384, "i").items() if key != "kid"},
        "no key",
        None,
    ]
    assert set(usable_keys([*usable, *others])) == {"a", "b"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_fetched_once_and_again_when_they_are_old() -> None:
    clock = Clock()
    with publishing(public(P384, "ec")) as server:
        keys = KeySet(Client(ISSUER, server.url), clock)
        assert all(keys.find("ec") for _ in range(20))
        assert server.asked == 1
        clock.now += FRESH_S + 1
        server.keys = [public(P384_B, "new")]
        assert (keys.find("ec"), keys.find("new") is not None, server.asked) == (None, True, 2)


def test_a_new_key_is_found_at_once_but_unknown_names_do_not_make_us_ask_without_end() -> None:
    clock = Clock()
    with publishing(public(P384, "ec")) as server:
        keys = KeySet(Client(ISSUER, server.url), clock)
        keys.find("ec")
        clock.now += BETWEEN_FETCHES_S + 1
        server.keys.append(public(P384_B, "new"))
        assert keys.find("new") is not None
        for number in range(50):
            assert keys.find(f"unknown-{number}") is None
        assert server.asked == 2


def test_old_keys_serve_a_while_when_the_address_fails_and_no_longer() -> None:
    clock = Clock()
    with publishing(public(P384, "ec")) as server:
        keys = KeySet(Client(ISSUER, server.url), clock)
        keys.find("ec")
        server.status = 500
        clock.now += FRESH_S + 1
        assert keys.find("ec") is not None
        clock.now += STALE_S
        assert keys.find("ec") is None


@pytest.mark.parametrize(
    "fault",
    [{"status": 302, "location": "http://127.0.0.1:1/"}, {"status": 404}, {"size": 100_000}, {"pause": 1.2}],
    ids=["redirects", "not there", "too long", "too slow"],
)
def test_an_address_that_misbehaves_gives_no_keys_and_does_not_hold_us_up(fault: dict[str, Any]) -> None:
    with publishing(public(P384, "ec")) as server:
        for name, value in fault.items():
            setattr(server, name, value)
        started = time.monotonic()
        assert KeySet(Client(ISSUER, server.url)).find("ec") is None
        assert time.monotonic() - started < 2.5


# The real server


def clients_file(folder: Path, server: KeyServer) -> str:
    path = folder / "clients.toml"
    path.write_text(f'[[client]]\niss = "{ISSUER}"\njku = "{server.url}"\n', encoding="utf-8")
    return str(path)


def with_token(server: Server, bearer: str, path: str = LIST, body: Any = None) -> int:
    return server.ask(path, body, Authorization=f"Bearer {bearer}", X_API_Key="")[0]


def replayed(servers: list[Server], rounds: int = 8) -> list[list[int]]:
    """The same token sent to all workers and machines at the same time."""
    found = []
    with ThreadPoolExecutor(8) as pool:
        for _ in range(rounds):
            once = token()
            found.append(sorted(pool.map(lambda n, t=once: with_token(servers[n % len(servers)], t), range(8))))
    return found


def test_a_token_is_good_for_one_call_of_all_workers_together(
    root: Path, tmp_path: Path, key_server: KeyServer
) -> None:
    environ = {
        "MEDSAFE_JWT_CLIENTS": clients_file(tmp_path, key_server),
        "MEDSAFE_PUBLIC_URL": PUBLIC,
        "MEDSAFE_STORE_URL": f"sqlite:///{tmp_path / 'store.sqlite'}",
    }
    with served(root, tmp_path, **environ) as server:
        assert replayed([server]) == [[200, *[401] * 7]] * 8
        secret = token()
        with_token(server, secret)
    log = server.log.read_text()
    assert secret.rpartition(".")[2] not in log
    assert ISSUER not in log


def test_two_machines_share_used_tokens_and_limits_through_postgresql_and_redis_only(
    root: Path, tmp_path: Path, key_server: KeyServer, postgres_url: str, redis_url: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 40, encoding="utf-8")
    environ = {
        "MEDSAFE_JWT_CLIENTS": clients_file(tmp_path, key_server),
        "MEDSAFE_PUBLIC_URL": PUBLIC,
        "MEDSAFE_STORE_URL": postgres_url,
        "MEDSAFE_SECRET_FILE": str(secret),
        "MEDSAFE_REDIS_URL": redis_url,
        "MEDSAFE_RATE_PER_MINUTE": "100",
    }
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with served(root, folders[0], **environ) as one, served(root, folders[1], **environ) as two:
        assert replayed([one, two], 4) == [[200, *[401] * 7]] * 4
        ready = [json.loads(server.ask("/readyz")[1]) for server in (one, two)]
        assert {(r["store"]["kind"], r["store"]["status"], r["redis"]["status"]) for r in ready} == {
            ("postgresql", "working", "working")
        }
        codes = [(one, two)[n % 2].ask("/v1/knowledge")[0] for n in range(130)]
        assert codes.count(200) <= 101
        assert codes[-1] == 429

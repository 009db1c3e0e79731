"""The public keys of clients: from a file given in advance, or from the one address that the operator allowed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any

import jwt
import orjson
import requests
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from medsafe.clients import Client

LOG = logging.getLogger("medsafe.tokens")
FETCH_S = 1.0
MOST_BYTES = 64 * 1024
LEAST_RSA_BITS = 2048
# Keys are fetched anew so often, so that one taken back is known; where that fails the old serve a while longer.
FRESH_S, STALE_S = 600.0, 3600.0
# However many unknown keys are named, the address is asked no more often than this.
BETWEEN_FETCHES_S = 30.0
ES384, RS384 = "ES384", "RS384"


class FetchError(Exception):
    """The keys could not be fetched; its text holds nothing that came from outside."""


def usable_key(entry: Mapping[str, Any]) -> tuple[str, Any] | None:
    """(algorithm, public key) of an entry of a key set; None for private, symmetric, weak and other keys."""
    if "d" in entry or "k" in entry or entry.get("kty") not in ("EC", "RSA") or entry.get("use", "sig") != "sig":
        return None
    algorithm = ES384 if entry["kty"] == "EC" else RS384
    if entry.get("alg", algorithm) != algorithm:
        return None
    try:
        key = jwt.PyJWK(dict(entry), algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    fits = (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP384R1)) or (
        isinstance(key, RSAPublicKey) and key.key_size >= LEAST_RSA_BITS
    )
    return (algorithm, key) if fits else None


def usable_keys(entries: Iterable[Any]) -> dict[str, tuple[str, Any]]:
    """Usable keys by their `kid`; a key without one can't be named by a token."""
    found: dict[str, tuple[str, Any]] = {}
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str) and (key := usable_key(entry)):
            found.setdefault(entry["kid"], key)
    return found


def fetch_key_set(url: str) -> list[Any]:
    """The entries of the key set at an address: no redirect, little data, little time.

    Raises
    ------
    FetchError: there is none.
    """
    deadline = time.monotonic() + FETCH_S
    try:
        with requests.Session() as session:
            # Neither a proxy nor a password file of the environment has a say in whom we trust.
            session.trust_env = False
            with session.get(url, timeout=FETCH_S, allow_redirects=False, stream=True) as answer:
                if answer.status_code != 200:
                    raise FetchError(f"status {answer.status_code}")
                raw = b""
                for part in answer.iter_content(4096):
                    raw += part
                    if len(raw) > MOST_BYTES or time.monotonic() > deadline:
                        raise FetchError("too long or too slow")
        found = orjson.loads(raw)["keys"]
    except (requests.RequestException, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise FetchError(type(error).__name__) from None
    if not isinstance(found, list):
        raise FetchError("no key set")
    return found


class KeySet:
    """The keys of one client, kept by `kid`."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self.client, self._clock, self._lock = client, clock, Lock()
        self._keys = usable_keys(client.keys)
        self._fetched_at = self._tried_at = float("-inf")

    def find(self, kid: str) -> tuple[str, Any] | None:
        """(algorithm, public key) by the key's name."""
        if not self.client.jku:
            return self._keys.get(kid)
        with self._lock:
            now = self._clock()
            if kid not in self._keys or now - self._fetched_at > FRESH_S:
                self._fetch(now)
            if now - self._fetched_at > STALE_S:
                self._keys = {}
            return self._keys.get(kid)

    def _fetch(self, now: float) -> None:
        if now - self._tried_at < BETWEEN_FETCHES_S:
            return
        self._tried_at = now
        try:
            self._keys = usable_keys(fetch_key_set(self.client.jku))
        except FetchError as error:
            line = {"event": "key-set", "status": "not-fetched", "because": str(error), "keys": len(self._keys)}
            LOG.warning("key-set", extra={"medsafe": line})
            return
        self._fetched_at = now

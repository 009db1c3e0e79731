"""Signed tokens (JWT) of clients, as CDS Hooks asks for: who made it, for which address, how long, and only once.

Nothing in a token is believed before its signature; which key and which algorithm are right is never taken from it.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Protocol

import jwt
from prometheus_client import Counter

from medsafe.clients import Client
from medsafe.store.database import StoreError
from medsafe.store.records import keyed
from medsafe.web.keysets import ES384, RS384, KeySet

LOG = logging.getLogger("medsafe.tokens")
REFUSED = Counter("medsafe_tokens_refused", "Tokens refused", ["because"])
REPLAY_UNSHARED = Counter("medsafe_token_replay_unshared", "Tokens whose first use only one worker could vouch for")
LEEWAY_S = 30
MOST_JTI = 256
MOST_TOKEN = 8192
REMEMBERED = 50_000
CLAIMS = ["iss", "aud", "exp", "iat", "jti"]


class TokenError(Exception):
    """A token that is refused. The reason is one of a few words; nothing of the token is repeated."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        REFUSED.labels(because).inc()


class UsedTokens(Protocol):
    """Where the use of a token is noted for all workers."""

    def take_token(self, key: str, expires_at: datetime) -> bool: ...


class OwnMemory:
    """Tokens used in this process: what remains when the memory shared by all can't be reached."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most, self._used, self._lock = most, OrderedDict[str, float](), Lock()

    def take_token(self, key: str, expires_at: datetime) -> bool:
        with self._lock:
            now = time.time()
            while self._used and next(iter(self._used.values())) < now:
                self._used.popitem(last=False)
            if key in self._used:
                return False
            self._used[key] = expires_at.timestamp()
            if len(self._used) > self._most:
                self._used.popitem(last=False)
            return True


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that was made by whom it says for this address; not yet whether it was used before."""

    client: Client
    jti: str
    expires_at: datetime


class Tokens:
    """Judges tokens for the clients that the operator allows."""

    def __init__(self, clients: tuple[Client, ...], max_seconds: int, shared: UsedTokens | None) -> None:
        self._sets = {client.iss: KeySet(client) for client in clients}
        self._max_seconds, self._shared, self._own = max_seconds, shared, OwnMemory()

    def judge(self, token: str, address: str, use: str) -> Bearer:
        """The bearer of a token made for `address`.

        Raises
        ------
        TokenError: it is refused.
        """
        key_set = self._key_set(token)
        algorithm, key = self._key(token, key_set)
        claims = _claims(token, key, algorithm, key_set.client.iss, address)
        self._check_life(claims)
        client, jti = key_set.client, claims["jti"]
        if client.tenants and claims.get("tenant") not in client.tenants:
            raise TokenError("tenant")
        if use not in client.may:
            raise TokenError("not-allowed-here")
        if not isinstance(jti, str) or not 0 < len(jti) <= MOST_JTI:
            raise TokenError("jti")
        return Bearer(client, jti, datetime.fromtimestamp(claims["exp"] + LEEWAY_S + 1, UTC))

    def _key_set(self, token: str) -> KeySet:
        """The keys of the issuer that the token names: a name only, until the signature proves it."""
        if len(token) > MOST_TOKEN:
            raise TokenError("malformed")
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise TokenError("malformed") from None
        issuer = claims.get("iss")
        found = self._sets.get(issuer) if isinstance(issuer, str) else None
        if found is None:
            raise TokenError("issuer")
        return found

    def _key(self, token: str, key_set: KeySet) -> tuple[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise TokenError("malformed") from None
        if header.get("alg") not in (ES384, RS384):
            raise TokenError("algorithm")
        if str(header.get("typ", "")).upper() != "JWT":
            raise TokenError("type")
        # A client may name where its keys are, but only the place that was agreed for this client.
        if "jku" in header and header["jku"] != key_set.client.jku:
            raise TokenError("jku")
        found = key_set.find(header["kid"]) if isinstance(header.get("kid"), str) else None
        if found is None:
            raise TokenError("key")
        if found[0] != header["alg"]:
            raise TokenError("algorithm")
        return found

    def _check_life(self, claims: dict[str, Any]) -> None:
        if not all(isinstance(claims[name], int | float) for name in ("exp", "iat")):
            raise TokenError("malformed")
        if not 0 < claims["exp"] - claims["iat"] <= self._max_seconds:
            raise TokenError("lifetime")

    def use(self, bearer: Bearer) -> None:
        """Use a token up, for all workers; where their shared memory can't be reached, for this one, and that is told.

        Raises
        ------
        TokenError: it was used before.
        """
        # Not keyed by an installation's secret: machines that share Redis must agree on it.
        key = keyed(b"medsafe", "token", bearer.client.iss, bearer.jti)
        if not self._own.take_token(key, bearer.expires_at):
            raise TokenError("replay")
        if self._shared is None:
            return
        try:
            first = self._shared.take_token(key, bearer.expires_at)
        except StoreError:
            REPLAY_UNSHARED.inc()
            return
        if not first:
            raise TokenError("replay")


def _claims(token: str, key: Any, algorithm: str, issuer: str, address: str) -> dict[str, Any]:
    """The claims, once the signature and the times hold."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=address,
            issuer=issuer,
            leeway=LEEWAY_S,
            options={"require": CLAIMS},
        )
    except jwt.ExpiredSignatureError:
        raise TokenError("expired") from None
    except jwt.ImmatureSignatureError:
        raise TokenError("not-yet-valid") from None
    except jwt.InvalidAudienceError:
        raise TokenError("audience") from None
    except jwt.MissingRequiredClaimError:
        raise TokenError("claim-missing") from None
    except jwt.InvalidSignatureError:
        raise TokenError("signature") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        raise TokenError("malformed") from None
    return claims

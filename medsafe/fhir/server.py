"""Reading what is missing from the EHR's own FHIR server, with the token of this one call.

The address comes from the caller, so it is trusted only when the operator has named its origin. No redirect is followed, the
token goes to that origin alone and is kept nowhere, and everything together ends at one deadline: what has not come by then
counts as not fetched, and is told.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import urljoin, urlsplit

import orjson

from medsafe.fhir.prefetch import KEYS, MEDICINES, State, read_answer
from medsafe.fhir.services import PREFETCH
from medsafe.fhir.shape import Json, mapping, objects, words

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MOST_BYTES, MOST_PAGES, AT_ONCE, CHUNK = 4 * 1024 * 1024, 5, 6, 65536
DEFAULT_PORTS = {"https": 443, "http": 80}
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
# How a fetch that failed looks to whoever reads the prefetch.
FAILURE: Json = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "transient"}]}


class Unfetched(Exception):  # noqa: N818 - it is told as a gap, not raised to the caller
    """Something that could not be read from the server."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what must agree for a token to be sent."""

    scheme: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK


def origin_of(url: str) -> Origin | None:
    """The origin of an absolute http(s) URL without user or password; http only on this machine.

    >>> origin_of("https://EHR.example.org/fhir")
    Origin(scheme='https', host='ehr.example.org', port=443)
    >>> origin_of("http://ehr.example.org/fhir"), origin_of("https://a@ehr.example.org/")
    (None, None)
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in DEFAULT_PORTS
        or not parts.hostname
        or parts.username is not None
        or parts.password is not None
    ):
        return None
    found = Origin(parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme])
    return found if found.scheme == "https" or found.is_loopback else None


def read_allowed(listed: str) -> frozenset[Origin]:
    """The origins of a list separated by commas or spaces; what is no origin is left out."""
    return frozenset(filter(None, map(origin_of, re.split(r"[\s,]+", listed))))


@dataclass(slots=True)
class Access:
    """Leave to read from one server during one call. The token is no part of what is shown."""

    origin: Origin
    base: str
    patient_id: str
    token: str = field(repr=False)
    deadline: float = 0.0
    _open: list[socket.socket] = field(default_factory=list, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def left(self) -> float:
        return self.deadline - time.monotonic()

    def connect(self, address: str, port: int) -> socket.socket:
        """A socket that ends with this call, whatever the server does."""
        return self.keep(socket.create_connection((address, port), max(self.left, 0.01)))

    def keep(self, opened: socket.socket) -> socket.socket:
        """Remember a socket, to end it with the call."""
        with self._lock:
            self._open.append(opened)
        return opened

    def end(self) -> None:
        """Break off whatever is still under way."""
        with self._lock:
            for connection in self._open:
                # Closing alone would not wake a thread that waits for the next byte.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def access_of(call: Json, patient_id: str, allowed: frozenset[Origin], seconds: float) -> Access | None:
    """Leave to read, or None: only with both server and token, and only from an origin that is allowed."""
    url, grant = call.get("fhirServer"), mapping(call.get("fhirAuthorization"))
    token, kind = grant.get("access_token"), grant.get("token_type", "Bearer")
    origin = origin_of(url) if isinstance(url, str) else None
    if origin is None or origin not in allowed or not isinstance(url, str) or "?" in url or "#" in url:
        return None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or str(kind).casefold() != "bearer":
        return None
    if not _ID.fullmatch(patient_id):
        return None
    return Access(origin, url.rstrip("/") + "/", patient_id, token, time.monotonic() + seconds)


def _address(origin: Origin) -> str:
    """The address to connect to; a public name that leads into a private network is refused."""
    found = str(socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)[0][4][0])
    named = origin.host == found or origin.is_loopback
    address = ipaddress.ip_address(found.split("%")[0])
    if not named and (address.is_multicast or not address.is_global):
        raise Unfetched("private address")
    return found


class _Plain(http.client.HTTPConnection):
    """A connection to the very address that was judged, so that a second look-up can't change it."""

    def __init__(self, access: Access) -> None:
        super().__init__(access.origin.host, access.origin.port)
        self.access, self.address = access, _address(access.origin)

    def connect(self) -> None:
        self.sock = self.access.connect(self.address, self.port)


class _Secure(_Plain):
    def connect(self) -> None:
        plain = self.access.connect(self.address, self.port)
        # The certificate is judged by the name that the operator allowed. Wrapping takes the plain socket over.
        self.sock = self.access.keep(ssl.create_default_context().wrap_socket(plain, server_hostname=self.host))


def _read(access: Access, response: http.client.HTTPResponse) -> bytes:
    """The body, as long as it stays within size and time."""
    parts: list[bytes] = []
    size = 0
    while chunk := response.read(CHUNK):
        size += len(chunk)
        if size > MOST_BYTES or access.left <= 0:
            raise Unfetched("too large or too slow")
        parts.append(chunk)
    if response.length:
        raise Unfetched("shorter than it said")
    return b"".join(parts)


def get(access: Access, url: str) -> Any:
    """One JSON answer from the server. Redirects are not followed: they are answers like any other that is not 200."""
    if origin_of(url) != access.origin or access.left <= 0:
        raise Unfetched("another origin, or no time left")
    kind = _Secure if access.origin.scheme == "https" else _Plain
    connection = kind(access)
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        headers = {"Accept": "application/fhir+json", "Authorization": f"Bearer {access.token}"}
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            raise Unfetched(str(response.status))
        return orjson.loads(_read(access, response))
    finally:
        connection.close()


def _next(bundle: Json, url: str) -> str:
    found = next((words(item.get("url")) for item in objects(bundle.get("link")) if item.get("relation") == "next"), "")
    return urljoin(url, found) if found else ""


def _pages(access: Access, first: Json, url: str, most: int) -> Json:
    """A bundle with the pages that follow it, as far as they are of the same origin and there is time."""
    entries, page = list(objects(first.get("entry"))), first
    for _ in range(most):
        url = _next(page, url)
        if not url:
            return {**first, "entry": entries, "link": [], "total": len(entries)}
        page = mapping(get(access, url))
        entries += objects(page.get("entry"))
    return {**first, "entry": entries, "link": [{"relation": "next", "url": url}]}


def _fetched(access: Access, key: str) -> Any:
    url = access.base + PREFETCH[key].replace("{{context.patientId}}", access.patient_id)
    found = get(access, url)
    # Only lists that must be whole are followed to their end.
    return _pages(access, found, url, MOST_PAGES) if "_count" not in url and mapping(found).get("entry") else found


def _continued(access: Access, value: Json) -> Any:
    try:
        return _pages(access, value, access.base, MOST_PAGES)
    except (OSError, ValueError, Unfetched, http.client.HTTPException):
        return value


def _or_failure(access: Access, key: str) -> Any:
    try:
        return _fetched(access, key)
    except (OSError, ValueError, Unfetched, http.client.HTTPException):
        return FAILURE


def missing_keys(prefetch: Mapping[str, Any]) -> list[str]:
    """Keys of ours whose kind of data was not sent at all; what the EHR failed to fetch is not asked for again."""
    sent = {kind for key, value in prefetch.items() for kind in read_answer(words(key), value).kinds}
    return [key for key, kind in KEYS.items() if key not in prefetch and kind not in sent]


def partial_keys(prefetch: Mapping[str, Any]) -> list[str]:
    """Medication lists that say they go on."""
    answers = {key: read_answer(words(key), value) for key, value in prefetch.items()}
    return [
        key
        for key, a in answers.items()
        if a.missing and MEDICINES in a.kinds and a.state is State.FOUND and _next(mapping(prefetch[key]), "")
    ]


def complete(prefetch: Mapping[str, Any], access: Access) -> dict[str, Any]:
    """The prefetch with what could be read in time; what could not stands there as failed."""
    asked, going_on = missing_keys(prefetch), partial_keys(prefetch)
    pool = ThreadPoolExecutor(AT_ONCE)
    tasks = {pool.submit(_or_failure, access, key): key for key in asked}
    tasks |= {pool.submit(_continued, access, prefetch[key]): key for key in going_on}
    wait(tasks, timeout=max(access.left, 0.0))
    found = dict(prefetch) | dict.fromkeys(asked, FAILURE)
    found |= {key: task.result() for task, key in tasks.items() if task.done() and not task.cancelled()}
    pool.shutdown(wait=False, cancel_futures=True)
    access.end()
    return found

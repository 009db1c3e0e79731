"""Who may call with a signed token: one entry for each issuer, read from a file that the operator keeps."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

USES = ("cds", "v1")
KNOWN = frozenset({"iss", "jku", "keys", "tenants", "may"})
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Client:
    """An issuer of tokens. Its keys come from `jku`, its one published address, or were given in advance as `keys`.

    `tenants` empty: the claim is not looked at. `may`: `cds` for CDS Hooks, `v1` for the other endpoints.
    """

    iss: str
    jku: str = ""
    keys: tuple[dict[str, Any], ...] = ()
    tenants: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset({"cds"})


def is_safe_url(url: str) -> bool:
    """Whether an address is encrypted, or never leaves this machine.

    >>> [is_safe_url(u) for u in ("https://ehr.example/jwks", "http://127.0.0.1:9/j", "http://ehr.example/j", "https://u:p@e/")]
    [True, True, False, False]
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _words(entry: dict[str, Any], name: str, default: list[str]) -> list[str]:
    found = entry.get(name, default)
    if not isinstance(found, list) or not all(isinstance(word, str) and word for word in found):
        raise ValueError(f"{name} must be a list of words")
    return found


def _given_keys(entry: dict[str, Any], folder: Path) -> tuple[dict[str, Any], ...]:
    name = entry.get("keys")
    if name is None:
        return ()
    try:
        found = json.loads((folder / str(name)).read_text(encoding="utf-8"))["keys"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError("keys must name a file with a JSON Web Key Set") from None
    if not isinstance(found, list) or not all(isinstance(key, dict) for key in found):
        raise ValueError("keys must name a file with a JSON Web Key Set")
    return tuple(found)


def _client(entry: Any, folder: Path) -> Client:
    if not isinstance(entry, dict) or not isinstance(entry.get("iss"), str) or not entry["iss"]:
        raise ValueError("iss is required")
    if unknown := sorted(set(entry) - KNOWN):
        raise ValueError(f"{', '.join(unknown)}: not known; known are {', '.join(sorted(KNOWN))}")
    jku, keys = entry.get("jku", ""), _given_keys(entry, folder)
    if bool(jku) == bool(keys):
        raise ValueError("give either jku or keys")
    if jku and not (isinstance(jku, str) and is_safe_url(jku)):
        raise ValueError("jku must be an https URL (http only for this machine), without user, password or fragment")
    may = frozenset(_words(entry, "may", ["cds"]))
    if not may or not may <= set(USES):
        raise ValueError(f"may: expected of {', '.join(USES)}")
    return Client(entry["iss"], jku, keys, frozenset(_words(entry, "tenants", [])), may)


def read_clients(path: Path) -> tuple[Client, ...]:
    """The clients in a TOML file of `[[client]]` tables.

    Raises
    ------
    ValueError: with everything that is wrong; values are not repeated.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("client")
    except OSError as error:
        raise ValueError(f"the file can't be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ValueError("the file is not valid TOML") from None
    if not isinstance(entries, list) or not entries:
        raise ValueError("expected one or more [[client]] tables")
    found, wrong = list[Client](), list[str]()
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_client(entry, path.parent))
        except ValueError as error:
            wrong.append(f"client {number}: {error}")
    if len({client.iss for client in found}) != len(found):
        wrong.append("an iss stands twice")
    if wrong:
        raise ValueError("; ".join(wrong))
    return tuple(found)

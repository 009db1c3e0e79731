"""How the service is run: read once from the environment, checked at start, every problem told at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from medsafe.clients import Client, is_safe_url, read_clients

DEFAULT_BIND = "127.0.0.1:8080"
DEFAULT_BODY_BYTES = 1024 * 1024
# With keys a client is known and bounded; on loopback without keys the only caller is the machine's own user.
DEFAULT_RATE_WITH_KEYS = 6000
DEFAULT_FEEDBACK_DAYS, DEFAULT_REPEAT_MINUTES, DEFAULT_JWT_SECONDS = 180, 60, 300
# A token that lives longer is as good as a key that anyone may copy from a log.
MOST_JWT_SECONDS = 3600
LEAST_SECRET_BYTES = 32
LOG_LEVELS = ("debug", "info", "warning", "error")
SHA256_HEX = re.compile(r"[0-9a-f]{64}")
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")
VARIABLES = (
    "MEDSAFE_DATA_DIR",
    "MEDSAFE_BIND",
    "MEDSAFE_WORKERS",
    "MEDSAFE_API_KEYS",
    "MEDSAFE_MAX_BODY_BYTES",
    "MEDSAFE_RATE_PER_MINUTE",
    "MEDSAFE_CORS_ORIGINS",
    "MEDSAFE_LOG_LEVEL",
    "MEDSAFE_WATCH_SECONDS",
    "MEDSAFE_RXNAV_URL",
    "MEDSAFE_RXNAV_CACHE",
    "MEDSAFE_STORE_URL",
    "MEDSAFE_SECRET_FILE",
    "MEDSAFE_FEEDBACK_DAYS",
    "MEDSAFE_FEEDBACK_COMMENTS",
    "MEDSAFE_REPEAT_MINUTES",
    "MEDSAFE_REDIS_URL",
    "MEDSAFE_PUBLIC_URL",
    "MEDSAFE_JWT_CLIENTS",
    "MEDSAFE_JWT_MAX_SECONDS",
)


class SettingsError(Exception):
    """The environment asks for something that can't be; `problems` lists all of it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator decides. `api_keys` are SHA-256 digests: the keys themselves are never here."""

    data_dir: Path
    bind: str = DEFAULT_BIND
    workers: int = 1
    api_keys: tuple[bytes, ...] = ()
    max_body_bytes: int = DEFAULT_BODY_BYTES
    rate_per_minute: int = 0
    cors_origins: frozenset[str] = frozenset()
    log_level: str = "info"
    watch_seconds: float = 0.0
    released_only: bool = False
    rule_history: Path | None = None
    rxnav_url: str = ""
    rxnav_cache: str = ""
    # Both URLs may hold a password: they are never shown.
    store_url: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    secret_file: Path | None = None
    feedback_days: int = DEFAULT_FEEDBACK_DAYS
    keep_comments: bool = False
    repeat_minutes: int = DEFAULT_REPEAT_MINUTES
    public_url: str = ""
    jwt_clients: tuple[Client, ...] = ()
    jwt_max_seconds: int = DEFAULT_JWT_SECONDS

    @property
    def asks_who(self) -> bool:
        """Whether a caller must show a key or a token."""
        return bool(self.api_keys or self.jwt_clients)


def source_tree() -> Path:
    """The folder that the package stands in."""
    return Path(__file__).resolve().parents[1]


def data_root() -> Path:
    """The folder that holds `formulary/` and `interaction_data/`: MEDSAFE_DATA_DIR, else the source tree."""
    given = os.environ.get("MEDSAFE_DATA_DIR")
    return Path(given) if given else source_tree()


def release_archives(root: Path) -> Path:
    """The folder of the archives of data releases: MEDSAFE_RELEASES_DIR, else beside their records."""
    given = os.environ.get("MEDSAFE_RELEASES_DIR")
    return Path(given) if given else root / "formulary" / "releases"


def is_loopback(bind: str) -> bool:
    """Whether only this machine can reach the address.

    >>> [is_loopback(b) for b in ("127.0.0.1:8080", "[::1]:80", "unix:/run/m.sock", "0.0.0.0:8080", ":8080")]
    [True, True, True, False, False]
    """
    if bind.startswith("unix:"):
        return True
    host = bind.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _bind(text: str) -> str:
    host, _, port = text.rpartition(":")
    if text.startswith("unix:") and len(text) > 5:
        return text
    if not port.isdigit() or not 0 < int(port) < 65536 or " " in host:
        raise ValueError("expected host:port, or unix:/path")
    return text


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdigit() or int(text) < least:
            raise ValueError(f"expected a whole number from {least} up")
        return int(text)

    return read


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError("expected a number of seconds; 0 turns it off")
    return float(text)


def _file(text: str) -> Path:
    path = Path(text).absolute()
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError("expected a file that can be written, in a folder that is there")
    return path


def _yes(text: str) -> bool:
    if text.lower() not in ("1", "true", "yes", "0", "false", "no"):
        raise ValueError("expected 1 or 0")
    return text.lower() in ("1", "true", "yes")


def _span(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"expected a whole number from {least} to {most}")
        return int(text)

    return read


def own_store() -> str:
    """Where records are kept when the operator names no place: a file in the folder of the running service."""
    return f"sqlite:///{source_tree() / 'run' / 'store.sqlite'}"


def _store(text: str) -> str:
    """The URL of the store; a refused one is not repeated, for it may hold a password."""
    if text.lower() == "none":
        return ""
    scheme, _, rest = text.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1 and "?" not in rest:
        return text
    if scheme in ("postgresql", "postgres") and urlsplit(text).path.strip("/"):
        return text
    raise ValueError("expected sqlite:////path/to/file, postgresql://user:password@host/database, or none")


def _redis(text: str) -> str:
    if not re.fullmatch(r"rediss?://\S+", text):
        raise ValueError("expected redis://host:port/number, or rediss:// for an encrypted connection")
    return text


def _secret(text: str) -> Path:
    path = Path(text)
    try:
        enough = len(path.read_bytes().strip()) >= LEAST_SECRET_BYTES
    except OSError as error:
        raise ValueError(f"the file can't be read ({error.strerror})") from None
    if not enough:
        raise ValueError(f"the file must hold at least {LEAST_SECRET_BYTES} bytes; make one with: openssl rand -hex 32")
    return path


def _comments(text: str) -> bool:
    if text.lower() not in ("keep", "drop"):
        raise ValueError("expected drop or keep")
    return text.lower() == "keep"


def _public_url(text: str) -> str:
    if not is_safe_url(text) or "?" in text:
        raise ValueError("expected the https URL by which clients reach the service (http only for this machine)")
    return text.rstrip("/")


def _clients(text: str) -> tuple[Client, ...]:
    return read_clients(Path(text))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _digests(text: str) -> tuple[bytes, ...]:
    parts = _parts(text)
    if not parts or not all(SHA256_HEX.fullmatch(part) for part in parts):
        # A refused value is not repeated: it may be a key that someone forgot to hash.
        raise ValueError(
            "expected SHA-256 digests in hex, separated by commas; make one with: printf %s KEY | sha256sum"
        )
    return tuple(bytes.fromhex(part) for part in parts)


def _origins(text: str) -> frozenset[str]:
    parts = _parts(text.lower())
    if not all(ORIGIN.fullmatch(part) for part in parts):
        raise ValueError("expected origins such as https://ehr.example.org, separated by commas; `*` is not allowed")
    return frozenset(parts)


def _service_url(text: str) -> str:
    """https, or http on this machine: drug terms are nobody else's business on the way."""
    found = urlsplit(text)
    secure = found.scheme == "https" or (found.scheme == "http" and is_loopback(f"{found.hostname}:1"))
    if not found.hostname or not secure or found.username or found.query:
        raise ValueError("expected a URL such as https://rxnav.nlm.nih.gov/REST (http only to this machine)")
    return text.rstrip("/")


def _cache(text: str) -> str:
    if text.startswith(("redis://", "rediss://")):
        return text
    if not Path(text).resolve().parent.is_dir():
        raise ValueError("expected the path of a file in a folder that exists, or redis://host:port/0")
    return str(Path(text).resolve())


def _level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError(f"expected one of {', '.join(LOG_LEVELS)}")
    return text.lower()


def _folder(text: str) -> Path:
    path = Path(text).resolve()
    missing = [name for name in ("formulary", "interaction_data") if not (path / name).is_dir()]
    if missing:
        raise ValueError(f"the folder must hold {' and '.join(missing)}/")
    return path


class _Reader:
    """Takes one variable after another and keeps every problem."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ, self.problems = environ, list[str]()

    def take(self, name: str, read: Callable[[str], Any], default: Any) -> Any:
        text = self.environ.get(name, "").strip()
        if not text:
            return default
        try:
            return read(text)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return default


def _kept(reader: _Reader) -> dict[str, Any]:
    """What is remembered, and where."""
    return {
        "store_url": reader.take("MEDSAFE_STORE_URL", _store, own_store()),
        "secret_file": reader.take("MEDSAFE_SECRET_FILE", _secret, None),
        "feedback_days": reader.take("MEDSAFE_FEEDBACK_DAYS", _span(1, 3650), DEFAULT_FEEDBACK_DAYS),
        "keep_comments": reader.take("MEDSAFE_FEEDBACK_COMMENTS", _comments, False),
        "repeat_minutes": reader.take("MEDSAFE_REPEAT_MINUTES", _span(0, 1440), DEFAULT_REPEAT_MINUTES),
        "redis_url": reader.take("MEDSAFE_REDIS_URL", _redis, ""),
    }


def _tokens(reader: _Reader) -> dict[str, Any]:
    """Who may call with a signed token."""
    return {
        "public_url": reader.take("MEDSAFE_PUBLIC_URL", _public_url, ""),
        "jwt_clients": reader.take("MEDSAFE_JWT_CLIENTS", _clients, ()),
        "jwt_max_seconds": reader.take("MEDSAFE_JWT_MAX_SECONDS", _span(30, MOST_JWT_SECONDS), DEFAULT_JWT_SECONDS),
    }


def _disagreements(found: dict[str, Any], given: Callable[[str], bool]) -> Iterator[str]:
    """Settings that are right by themselves but not together."""
    if given("MEDSAFE_JWT_CLIENTS") and not given("MEDSAFE_PUBLIC_URL"):
        yield "MEDSAFE_PUBLIC_URL: needed with MEDSAFE_JWT_CLIENTS; a token names the address it was made for"
    if found["jwt_clients"] and not (found["store_url"] or found["redis_url"]):
        yield "MEDSAFE_STORE_URL: none can't be with MEDSAFE_JWT_CLIENTS unless MEDSAFE_REDIS_URL is set; used tokens must be known to all workers"
    if found["store_url"].startswith("postgres") and not given("MEDSAFE_SECRET_FILE"):
        yield "MEDSAFE_SECRET_FILE: needed with PostgreSQL; all machines must have the same"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment.

    Raises
    ------
    SettingsError: with every problem at once.
    """
    reader = _Reader(environ)
    found: dict[str, Any] = {
        "data_dir": reader.take("MEDSAFE_DATA_DIR", _folder, source_tree()),
        "bind": reader.take("MEDSAFE_BIND", _bind, DEFAULT_BIND),
        "workers": reader.take("MEDSAFE_WORKERS", _whole(1), os.cpu_count() or 1),
        "api_keys": reader.take("MEDSAFE_API_KEYS", _digests, ()),
        "max_body_bytes": reader.take("MEDSAFE_MAX_BODY_BYTES", _whole(1024), DEFAULT_BODY_BYTES),
        "cors_origins": reader.take("MEDSAFE_CORS_ORIGINS", _origins, frozenset()),
        "log_level": reader.take("MEDSAFE_LOG_LEVEL", _level, "info"),
        "released_only": reader.take("MEDSAFE_RELEASED_ONLY", _yes, False),
        "rule_history": reader.take("MEDSAFE_RULE_HISTORY", _file, None),
        "watch_seconds": reader.take("MEDSAFE_WATCH_SECONDS", _seconds, 0.0),
        "rxnav_url": reader.take("MEDSAFE_RXNAV_URL", _service_url, ""),
        "rxnav_cache": reader.take("MEDSAFE_RXNAV_CACHE", _cache, ""),
    }
    found |= _kept(reader) | _tokens(reader)
    rate = DEFAULT_RATE_WITH_KEYS if found["api_keys"] or found["jwt_clients"] else 0
    found["rate_per_minute"] = reader.take("MEDSAFE_RATE_PER_MINUTE", _whole(0), rate)

    def given(name: str) -> bool:
        return bool(environ.get(name, "").strip())

    reader.problems += _disagreements(found, given)
    asks_who = given("MEDSAFE_API_KEYS") or given("MEDSAFE_JWT_CLIENTS")
    if not asks_who and not is_loopback(found["bind"]):
        reader.problems.append(open_without_keys(found["bind"]))
    if reader.problems:
        raise SettingsError(reader.problems)
    return Settings(**found)


def open_without_keys(bind: str) -> str:
    """What is said when others could reach a service that asks for no key."""
    return f"MEDSAFE_API_KEYS: needed (or MEDSAFE_JWT_CLIENTS) because {bind} can be reached from other machines; or bind to 127.0.0.1"


@cache
def process_settings() -> Settings:
    """The settings of this process, read once: a reload of the data never changes how the service is run."""
    return read_settings(os.environ)

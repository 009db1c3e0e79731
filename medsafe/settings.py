"""How the service is run: read once from the environment, checked at start, every problem told at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DEFAULT_BIND = "127.0.0.1:8080"
DEFAULT_BODY_BYTES = 1024 * 1024
# With keys a client is known and bounded; on loopback without keys the only caller is the machine's own user.
DEFAULT_RATE_WITH_KEYS = 6000
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
    rate = DEFAULT_RATE_WITH_KEYS if found["api_keys"] else 0
    found["rate_per_minute"] = reader.take("MEDSAFE_RATE_PER_MINUTE", _whole(0), rate)
    keys_given = bool(environ.get("MEDSAFE_API_KEYS", "").strip())
    if not keys_given and not is_loopback(found["bind"]):
        reader.problems.append(open_without_keys(found["bind"]))
    if reader.problems:
        raise SettingsError(reader.problems)
    return Settings(**found)


def open_without_keys(bind: str) -> str:
    """What is said when others could reach a service that asks for no key."""
    return f"MEDSAFE_API_KEYS: needed because {bind} can be reached from other machines; or bind to 127.0.0.1"


@cache
def process_settings() -> Settings:
    """The settings of this process, read once: a reload of the data never changes how the service is run."""
    return read_settings(os.environ)

"""The secret of one installation: what must be recognised again but never read back is keyed with it."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

MADE_BYTES = 32


def installation_secret(given: Path | None, beside: Path | None) -> bytes:
    """The operator's secret; else one beside the database file, made when there is none; else one for this run only."""
    if given is not None:
        return given.read_bytes().strip()
    made = secrets.token_hex(MADE_BYTES).encode()
    if beside is None:
        return made
    with suppress(OSError):
        _make(beside, made)
    with suppress(OSError):
        made = beside.read_bytes().strip() or made
    return made


def _make(path: Path, made: bytes) -> None:
    """Write the secret unless there is one. Whoever links first has made it; nobody ever reads half of it."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(made)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)

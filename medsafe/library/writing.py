"""Writing data files so that a reader never meets half of one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


class ChangedMeanwhileError(Exception):
    """A file is not what was read, or can't be written; nothing was replaced."""


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in place in one step, with the permissions it had."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def settle(folder: Path) -> None:
    """Have renames within a folder reach the disk, so that a loss of power does not undo one of them alone."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(root: Path, texts: Mapping[str, str], before: Mapping[str, bytes]) -> None:
    """Replace some files, each in one step; none when one of them is not what it was when it was read.

    Raises
    ------
    ChangedMeanwhileError: when a file has changed, or can't be written: those before it are put back.
    """
    for file, content in before.items():
        if (root / file).read_bytes() != content:
            raise ChangedMeanwhileError(f"{file} was changed while the sheet was checked: import it again")
    done: list[str] = []
    try:
        for file, text in texts.items():
            write_whole(root / file, text.encode())
            done.append(file)
    except OSError as error:
        for file in done:
            write_whole(root / file, before[file])
        raise ChangedMeanwhileError(f"{file} can't be written ({error.strerror}): nothing was changed") from None

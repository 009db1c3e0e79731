"""Releases of the data: a version, the digest of what it holds, notes, and an archive it can be restored from.

The record of a release (`formulary/releases/<version>.toml`) belongs to the data folders but not to the digest: it
names the digest. The archive is a plain tar file, made so that the same data give the same bytes, kept in a folder
that the operator chooses; where there is none, the data are looked for in git. Nothing is restored whose digest is
not the recorded one.
"""

from __future__ import annotations

import gzip
import io
import re
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NoReturn

from medsafe.library.diff import RevisionError, data_at, unpack
from medsafe.library.load import FORMULARY, INTERACTIONS, RELEASES, RESTORED, RESTORING, cut_off, digest_of
from medsafe.library.toml_text import toml_value, with_values
from medsafe.library.writing import settle, write_whole

VERSION = re.compile(r"\d+(\.\d+)*")
RELEASE_FILE = f"{FORMULARY}/release.toml"
FOLDERS = (FORMULARY, INTERACTIONS)
# How the data in a folder stand to the releases.
RELEASED, CHANGED, UNRECORDED = "released", "changed-since-release", "release-not-recorded"


class ReleaseError(Exception):
    """The release can't be made, found or restored; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release as recorded. `previous` is the version that the notes compare with, empty for the first."""

    version: str
    digest: str
    released_on: date
    previous: str = ""
    notes: tuple[str, ...] = ()


def order_of(version: str) -> tuple[int, ...]:
    """Versions in order of their numbers.

    >>> order_of("2026.11.10") > order_of("2026.11.9")
    True
    """
    return tuple(int(part) for part in version.split("."))


def _record(root: Path, version: str) -> Path:
    return root / RELEASES / f"{version}.toml"


def read_release(path: Path) -> Release:
    """One recorded release.

    Raises
    ------
    ReleaseError: when the record can't be read.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        made = Release(path.stem, raw["digest"], raw["released_on"], raw.get("previous", ""), tuple(raw["notes"]))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ReleaseError(f"{path.name}: the record of the release can't be read ({error})") from None
    if not isinstance(made.digest, str) or not re.fullmatch(r"[0-9a-f]{64}", made.digest):
        raise ReleaseError(f"{path.name}: `digest` is not a SHA-256 in hex")
    return made


def releases(root: Path) -> tuple[Release, ...]:
    """All recorded releases, oldest version first."""
    paths = [p for p in (root / RELEASES).glob("*.toml") if VERSION.fullmatch(p.stem)]
    return tuple(read_release(path) for path in sorted(paths, key=lambda p: order_of(p.stem)))


def find_release(root: Path, version: str) -> Release:
    """The record of one release.

    Raises
    ------
    ReleaseError: when there is none; the text names those that there are.
    """
    path = _record(root, version)
    if VERSION.fullmatch(version) and path.exists():
        return read_release(path)
    known = ", ".join(release.version for release in releases(root)) or "none yet"
    raise ReleaseError(f"there is no record of a release {version!r}; recorded: {known}")


def standing(root: Path, version: str, digest: str) -> str:
    """Whether the data are those of the release whose version they carry."""
    path = _record(root, version)
    if not VERSION.fullmatch(version) or not path.exists():
        return UNRECORDED
    return RELEASED if read_release(path).digest == digest else CHANGED


def _files(root: Path) -> Iterator[Path]:
    kept = root / RELEASES
    for folder in FOLDERS:
        yield from (p for p in (root / folder).rglob("*") if p.is_file() and kept not in p.parents)


def archive_bytes(root: Path) -> bytes:
    """The data folders as a compressed tar: the same data give the same bytes, whenever and by whomever it is made."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(_files(root), key=lambda p: p.relative_to(root).as_posix()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def archive_path(archives: Path, version: str) -> Path:
    return archives / f"medsafe-data-{version}.tar.gz"


def check_version(root: Path, version: str) -> None:
    """A new version has numbers with points and is later than every recorded one.

    Raises
    ------
    ReleaseError: when it is not.
    """
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"{version!r} is not a version; expected numbers with points, such as 2026.11.1")
    later = [r.version for r in releases(root) if order_of(r.version) >= order_of(version)]
    if later:
        raise ReleaseError(f"{version} is not later than the recorded release {later[-1]}")


def publish(root: Path, archives: Path, version: str, today: date, previous: str, notes: Sequence[str]) -> Release:
    """Write the version into the data, record the release, and keep its archive.

    Raises
    ------
    ReleaseError: when a file can't be written; the data then carry the version they had.
    """
    check_version(root, version)
    file = root / RELEASE_FILE
    before = file.read_bytes()
    try:
        text = with_values(before.decode(), (), {"version": version, "released_on": today})
        write_whole(file, text.encode())
        made = Release(version, digest_of(root), today, previous, tuple(notes))
        archives.mkdir(parents=True, exist_ok=True)
        write_whole(archive_path(archives, version), archive_bytes(root))
        (root / RELEASES).mkdir(exist_ok=True)
        write_whole(_record(root, version), _text(made).encode())
    except OSError as error:
        write_whole(file, before)
        raise ReleaseError(f"the release can't be written ({error}): the data carry the version they had") from None
    return made


def _text(release: Release) -> str:
    notes = "".join(f"    {toml_value(line)},\n" for line in release.notes)
    return (
        f"# Release {release.version}: written by `medsafe data release`, checked by `medsafe data verify`.\n"
        f'digest = "{release.digest}"\nreleased_on = {release.released_on.isoformat()}\n'
        f'previous = "{release.previous}"\nnotes = [\n{notes}]\n'
    )


def _from_archive(path: Path, folder: Path) -> None:
    try:
        with tarfile.open(path) as archive:
            unpack(archive, folder)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ReleaseError(f"the archive {path.name} can't be read ({error}): take it from a backup") from None


def _revisions(root: Path, version: str) -> list[str]:
    """Git revisions that may hold a release: those that touched its record."""
    words = ["git", "-C", str(root), "log", "--format=%H", "--", f"{RELEASES}/{version}.toml"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
    except OSError:
        return []


@contextmanager
def data_of(root: Path, archives: Path, release: Release) -> Iterator[Path]:
    """The data of a release in a folder that goes away afterwards; the digest is proven first.

    Raises
    ------
    ReleaseError: when neither an archive nor git holds the data, or they are not what was recorded.
    """
    path = archive_path(archives, release.version)
    if path.exists():
        with tempfile.TemporaryDirectory(prefix="medsafe-release-") as folder:
            _from_archive(path, Path(folder))
            _prove(Path(folder), release, path.name)
            yield Path(folder)
        return
    for revision in _revisions(root, release.version):
        try:
            with data_at(root, revision) as found:
                if digest_of(found) == release.digest:
                    yield found
                    return
        except RevisionError:
            continue
    raise ReleaseError(f"the data of {release.version} are neither in {archives} nor in git: take them from a backup")


def _prove(folder: Path, release: Release, name: str) -> None:
    found = digest_of(folder)
    if found != release.digest:
        raise ReleaseError(
            f"{name} is not release {release.version}: digest {found[:12]}, recorded {release.digest[:12]}"
        )


def differing(one: Path, other: Path) -> tuple[str, ...]:
    """Names of the data files that differ between two folders."""

    def contents(root: Path) -> dict[str, bytes]:
        wanted = (p for p in _files(root) if p.suffix in (".toml", ".csv"))
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in wanted}

    left, right = contents(one), contents(other)
    return tuple(sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name)))


def set_aside(root: Path, archives: Path) -> Path:
    """Keep the data as they are now, whatever they are, so that a restore never loses anything."""
    archives.mkdir(parents=True, exist_ok=True)
    path = archive_path(archives, f"before-rollback-{digest_of(root)[:12]}")
    write_whole(path, archive_bytes(root))
    return path


def recover(root: Path) -> bool:
    """Undo a rollback that was killed between its steps: all folders are again what they were before it.

    Returns whether there was one. Until then the data are refused as being of two versions.
    """
    left = cut_off(root)
    for staging in left:
        for old in sorted((staging / "old").iterdir()):
            shutil.rmtree(root / old.name, ignore_errors=True)
            old.rename(root / old.name)
    for staging in root.glob(f"{RESTORING}*"):
        shutil.rmtree(staging, ignore_errors=True)
    return bool(left)


def restore(root: Path, found: Path) -> None:
    """Put the data of `found` in place of those below `root`, folder by folder; records of releases stay.

    Raises
    ------
    ReleaseError: when a folder can't be replaced; what was replaced is put back.
    """
    staging = Path(tempfile.mkdtemp(prefix=RESTORING, dir=root))
    moved: list[str] = []
    try:
        _lay_out(found, root, staging)
        for name in FOLDERS:
            (root / name).rename(staging / "old" / name)
            moved.append(name)
            (staging / "new" / name).rename(root / name)
        # One rename says that all is done: what is cleared away afterwards can no longer be taken for a cut.
        settle(root)
        (staging / "old").rename(staging / RESTORED)
        settle(staging)
    except OSError as error:
        _put_back(root, staging, moved, error)
    shutil.rmtree(staging, ignore_errors=True)


def _lay_out(found: Path, root: Path, staging: Path) -> None:
    """The new folders beside the old, ready to be renamed."""
    for name in FOLDERS:
        shutil.copytree(found / name, staging / "new" / name, ignore=shutil.ignore_patterns("releases"))
    if (root / RELEASES).is_dir():
        shutil.copytree(root / RELEASES, staging / "new" / RELEASES)
    (staging / "old").mkdir()


def _put_back(root: Path, staging: Path, moved: Sequence[str], error: OSError) -> NoReturn:
    """Undo what was replaced; where that fails too nothing is cleared away, and the next rollback undoes it."""
    try:
        for name in moved:
            shutil.rmtree(root / name, ignore_errors=True)
            (staging / "old" / name).rename(root / name)
    except OSError as again:
        message = f"the data can't be replaced ({error}) nor put back ({again}): they wait in {staging.name}/old, "
        raise ReleaseError(f"{message}and the next `medsafe data rollback` puts them back first") from None
    shutil.rmtree(staging, ignore_errors=True)
    raise ReleaseError(f"the data can't be replaced ({error}): they are as they were") from None

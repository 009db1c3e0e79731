"""A release of the data has a version, a digest and notes, is proven before it is used, and can be gone back to."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from medsafe.cli import main
from medsafe.library.diff import unpack
from medsafe.library.load import DataError, digest_of, read_knowledge
from medsafe.library.releases import (
    ReleaseError,
    archive_bytes,
    archive_path,
    data_of,
    find_release,
    publish,
    recover,
    releases,
)
from medsafe.service import Service
from medsafe.settings import Settings
from medsafe.web.app import create_app
from tests.serving import small_data

DAY = date(2026, 11, 24)
MORPHINE = "formulary/drugs/morphine.toml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_data(tmp_path / "data")


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


def run(command: str, *words: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", command, *map(str, words)])


def release(root: Path, archives: Path, version: str) -> Result:
    return run("release", version, "--root", root, "--archives", archives)


def change(root: Path, old: str = "max = 15", new: str = "max = 12") -> None:
    file = root / MORPHINE
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def forget_gabapentin(root: Path) -> None:
    for file in ("formulary/drugs/gabapentin.toml", "interaction_data/pairs/gabapentin__opioids.toml"):
        (root / file).unlink()


def everything(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_release_carries_its_version_and_is_verified(root: Path, archives: Path) -> None:
    done = release(root, archives, "2026.11.1")
    assert done.exit_code == 0, done.output
    assert "First release" in done.output
    made = find_release(root, "2026.11.1")
    assert made.digest == digest_of(root)
    assert run("verify", "--root", root).exit_code == 0


def test_the_same_data_give_the_same_digest_and_the_same_archive(root: Path, archives: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    shutil.copytree(root, other)
    made = [publish(r, archives / r.name, "2026.11.1", DAY, "", ()) for r in (root, other)]
    assert made[0] == made[1]
    paths = [archive_path(archives / r.name, "2026.11.1") for r in (root, other)]
    assert paths[0].read_bytes() == paths[1].read_bytes() == archive_bytes(root)


def test_recording_a_release_does_not_change_its_digest(root: Path, archives: Path) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ("A note.",))
    first = digest_of(root)
    (root / "formulary" / "releases" / "2026.11.0.toml").write_text(
        f'digest = "{"0" * 64}"\nreleased_on = 2026-11-01\nnotes = []\n', encoding="utf-8"
    )
    assert digest_of(root) == first


def test_the_notes_say_what_changed_since_the_last_release(root: Path, archives: Path) -> None:
    assert release(root, archives, "2026.11.1").exit_code == 0
    change(root)
    forget_gabapentin(root)
    done = release(root, archives, "2026.11.2")
    assert done.exit_code == 0, done.output
    notes = find_release(root, "2026.11.2").notes
    assert "Removed 1 drugs: gabapentin." in notes
    assert "morphine: dose_limits[naive-single].max 15 -> 12" in notes
    assert any(line.startswith("Findings between two drugs: ") and "lost" in line for line in notes)
    assert find_release(root, "2026.11.2").previous == "2026.11.1"


def test_a_release_after_one_in_a_form_no_longer_read_tells_the_files_that_differ(root: Path, archives: Path) -> None:
    file = root / MORPHINE
    today = file.read_text(encoding="utf-8")
    file.write_text(today.replace("name =", "called =", 1), encoding="utf-8")
    older = root / "formulary/drugs/aspirin-of-old.toml"
    older.write_text("old = true\n", encoding="utf-8")
    publish(root, archives, "2026.11.1", DAY, "", ("In a form of its own.",))
    older.unlink()
    file.write_text(today, encoding="utf-8")
    done = release(root, archives, "2026.11.2")
    assert done.exit_code == 0, done.output
    assert "compared file by file" in done.output
    assert "formulary/drugs: 1 changed: morphine" in done.output
    assert "formulary/drugs: 1 gone: aspirin-of-old" in done.output
    assert "Release 2026.11.2, against 2026.11.1" in done.output


@pytest.mark.parametrize("version", ["2026.11.1", "2026.9.30", "next", "../../etc/passwd", ""])
def test_a_version_that_is_not_later_or_no_version_is_refused(root: Path, archives: Path, version: str) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    before = everything(root)
    assert release(root, archives, version).exit_code != 0
    assert everything(root) == before


def test_data_with_an_error_are_not_released(root: Path, archives: Path) -> None:
    change(root, "max = 15", 'max = "much"')
    done = release(root, archives, "2026.11.1")
    assert done.exit_code == 1
    assert "Not a valid number" in done.output
    assert releases(root) == ()


def test_a_changed_byte_is_told_with_its_file(root: Path, archives: Path) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    change(root)
    done = run("verify", "--root", root, "--archives", archives, "--json")
    assert done.exit_code == 1
    told = json.loads(done.output)
    assert (told["standing"], told["changed"]) == ("changed-since-release", [MORPHINE])


def test_going_back_restores_every_byte_and_loses_nothing(root: Path, archives: Path) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    first = everything(root)
    change(root)
    forget_gabapentin(root)
    publish(root, archives, "2026.11.2", DAY, "2026.11.1", ())
    done = run("rollback", "2026.11.1", "--root", root, "--archives", archives)
    assert done.exit_code == 0, done.output
    kept = {file: content for file, content in everything(root).items() if "/releases/2026.11.2" not in file}
    assert kept == first
    assert run("verify", "--root", root).exit_code == 0
    assert len(list(archives.glob("*before-rollback-*"))) == 1
    assert run("rollback", "2026.11.2", "--root", root, "--archives", archives).exit_code == 0
    assert digest_of(root) == find_release(root, "2026.11.2").digest


def test_without_an_archive_the_data_are_found_in_git(root: Path, archives: Path) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    for words in (["init"], ["add", "."], ["commit", "-m", "release"]):
        subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True)
    shutil.rmtree(archives)
    change(root)
    assert run("rollback", "2026.11.1", "--root", root, "--archives", archives).exit_code == 0
    assert digest_of(root) == find_release(root, "2026.11.1").digest


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-400])


def other_data(path: Path) -> None:
    path.unlink()
    folder = path.parent / "other"
    change(small_data(folder))
    path.write_bytes(archive_bytes(folder))


@pytest.mark.parametrize(
    ("harm", "words"),
    [(truncate, "can't be read"), (other_data, "is not release"), (Path.unlink, "neither in")],
    ids=["truncated", "other data", "gone"],
)
def test_a_damaged_archive_is_refused_and_the_data_stay(
    root: Path, archives: Path, harm: Callable[[Path], None], words: str
) -> None:
    made = publish(root, archives, "2026.11.1", DAY, "", ())
    change(root)
    harm(archive_path(archives, "2026.11.1"))
    before = everything(root)
    done = run("rollback", "2026.11.1", "--root", root, "--archives", archives)
    assert done.exit_code == 1
    assert words in done.output
    assert everything(root) == before
    with pytest.raises(ReleaseError), data_of(root, archives, made):
        raise AssertionError("the data of a damaged archive were given out")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside.toml", tarfile.REGTYPE),
        ("/tmp/outside.toml", tarfile.REGTYPE),
        ("formulary/link.toml", tarfile.SYMTYPE),
        ("formulary/device", tarfile.CHRTYPE),
    ],
)
def test_an_archive_writes_plain_files_below_its_folder_and_nothing_else(
    tmp_path: Path, name: str, kind: bytes
) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        good, bad = tarfile.TarInfo("formulary/drugs/a.toml"), tarfile.TarInfo(name)
        good.size, bad.type, bad.linkname = 3, kind, "/etc/passwd"
        archive.addfile(good, io.BytesIO(b"a=1"))
        archive.addfile(bad)
    made.seek(0)
    folder = tmp_path / "into"
    with tarfile.open(fileobj=made) as archive, pytest.raises(tarfile.TarError, match="no file of the data"):
        unpack(archive, folder)
    assert (folder / "formulary/drugs/a.toml").read_bytes() == b"a=1"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.toml"]


def test_a_record_that_is_half_written_vouches_for_nothing(root: Path, archives: Path) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    record = root / "formulary" / "releases" / "2026.11.1.toml"
    record.write_bytes(record.read_bytes()[:60])
    done = run("verify", "--root", root)
    assert done.exit_code == 1
    assert "can't be read" in done.output
    with pytest.raises(DataError):
        Service(root, released_only=True).start()


def test_a_service_that_takes_released_data_only_refuses_a_digest_that_does_not_match(
    root: Path, archives: Path
) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    service = Service(root, released_only=True)
    service.start()
    change(root)
    done = service.reload()
    assert done.outcome == "refused"
    assert "is not that of a release 2026.11.1" in done.problems[0]
    with pytest.raises(DataError):
        Service(root, released_only=True).start()


def test_the_service_says_whether_its_data_are_those_of_a_release(root: Path, archives: Path) -> None:
    told = {}
    for state in ("release-not-recorded", "released", "changed-since-release"):
        if state == "released":
            publish(root, archives, "2026.11.1", DAY, "", ())
        if state == "changed-since-release":
            change(root)
        client = create_app(root, Settings(root)).test_client()
        told[state] = (client.get("/v1/knowledge").json["release"], client.get("/readyz").json["release"])
    assert told == {state: (state, state) for state in told}


KILLED = """
import os, signal, sys
from pathlib import Path
from medsafe.library.releases import restore
left = int(sys.argv[3])
rename = Path.rename
def counted(self, target):
    global left
    done = rename(self, target)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
Path.rename = counted
restore(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_rollback_killed_between_its_steps_is_refused_and_then_undone(
    root: Path, archives: Path, tmp_path: Path, step: int
) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    found = tmp_path / "found"
    shutil.copytree(root, found)
    change(root)
    forget_gabapentin(root)
    before = everything(root)
    done = subprocess.run([sys.executable, "-c", KILLED, str(root), str(found), str(step)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert any("a rollback was cut off here" in str(p) for p in read_knowledge(root)[1])
    assert recover(root)
    assert everything(root) == before
    assert not any("cut off" in str(p) for p in read_knowledge(root)[1])
    assert run("rollback", "2026.11.1", "--root", root, "--archives", archives).exit_code == 0


REFUSED = """
import errno, sys
from pathlib import Path
from medsafe.library.releases import ReleaseError, restore
left = int(sys.argv[3])
rename = Path.rename
def refusing(self, target):
    global left
    left -= 1
    if left <= 0:
        raise OSError(errno.EIO, "Input/output error")
    return rename(self, target)
Path.rename = refusing
try:
    restore(Path(sys.argv[1]), Path(sys.argv[2]))
except ReleaseError as error:
    print(error)
"""


@pytest.mark.parametrize("renames", [2, 3, 4])
def test_data_that_can_neither_be_replaced_nor_put_back_are_kept_told_and_put_back_by_the_next_rollback(
    root: Path, archives: Path, tmp_path: Path, renames: int
) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    found = tmp_path / "found"
    shutil.copytree(root, found)
    change(root)
    before = everything(root)
    words = [sys.executable, "-c", REFUSED, str(root), str(found), str(renames)]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert "nor put back" in told
    assert "the next `medsafe data rollback` puts them back first" in told
    assert any("a rollback was cut off here" in str(p) for p in read_knowledge(root)[1])
    assert recover(root)
    assert everything(root) == before


def test_a_cut_off_rollback_is_put_back_by_the_next_one(root: Path, archives: Path, tmp_path: Path) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    found = tmp_path / "found"
    shutil.copytree(root, found)
    change(root)
    subprocess.run([sys.executable, "-c", KILLED, str(root), str(found), "1"], check=False)
    told = run("rollback", "2026.11.1", "--root", root, "--archives", archives)
    assert told.exit_code == 0, told.output
    assert "cut off" in told.output
    assert digest_of(root) == find_release(root, "2026.11.1").digest


KILLED_CLEARING = """
import os, shutil, signal, sys
from pathlib import Path
from medsafe.library.releases import restore
left = int(sys.argv[3])
unlink, clear, clearing = os.unlink, shutil.rmtree, False
def cleared(*given, **named):
    global clearing
    clearing = True
    return clear(*given, **named)
def counted(*given, **named):
    global left
    done = unlink(*given, **named)
    left -= clearing
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
os.unlink, shutil.rmtree = counted, cleared
restore(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("files", [1, 2, 5])
def test_a_rollback_killed_while_it_clears_away_has_happened_and_is_never_undone_from_what_is_left(
    root: Path, archives: Path, tmp_path: Path, files: int
) -> None:
    publish(root, archives, "2026.11.1", DAY, "", ())
    found = tmp_path / "found"
    shutil.copytree(root, found)
    change(root)
    done = subprocess.run([sys.executable, "-c", KILLED_CLEARING, str(root), str(found), str(files)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not any("cut off" in str(p) for p in read_knowledge(root)[1])
    assert not recover(root)
    assert digest_of(root) == find_release(root, "2026.11.1").digest
    assert not list(root.glob(".restoring-*"))

"""Commands for releases of the data: make one, prove it, go back to one."""

from __future__ import annotations

import os
import signal
import sys
from datetime import date
from pathlib import Path

import click
import orjson

from medsafe.commands.data import Teller, json_option, root_option
from medsafe.context.engine import Engine
from medsafe.library.load import DataError, digest_of, read_knowledge
from medsafe.library.releases import (
    RELEASED,
    UNRECORDED,
    ReleaseError,
    check_version,
    data_of,
    differing,
    find_release,
    publish,
    recover,
    releases,
    restore,
    set_aside,
    standing,
)
from medsafe.release_notes import first_notes, notes_between, notes_by_file
from medsafe.service import failed_canaries, load_engine
from medsafe.settings import release_archives

SHOWN = 20
archives_option = click.option(
    "--archives",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the archives; default: MEDSAFE_RELEASES_DIR, else formulary/releases/.",
)


def _proven(root: Path) -> Engine:
    """The engine of the data, which must be without error and pass its canaries before it is released."""
    try:
        engine = load_engine(root)
    except DataError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise click.ClickException(f"{len(error.problems)} errors in the data: nothing was released") from None
    for failure in (failures := failed_canaries(engine, root)):
        click.echo(f"error: canary {failure}", err=True)
    if failures:
        raise click.ClickException("a canary does not give its known answer: nothing was released")
    return engine


def _notes(root: Path, archives: Path, engine: Engine) -> tuple[str, tuple[str, ...]]:
    """The version compared with and the notes; the last recorded release is the one before."""
    recorded = releases(root)
    if not recorded:
        return "", first_notes(engine)
    with data_of(root, archives, recorded[-1]) as old:
        try:
            before = load_engine(old)
        except DataError as error:
            return recorded[-1].version, notes_by_file(old, root, differing(old, root), len(error.problems))
        cases = root / "tests" / "cases"
        return recorded[-1].version, notes_between(old, root, before, engine, cases, Teller("pairs compared"))


@click.command()
@click.argument("version")
@archives_option
@click.option("--dry-run", is_flag=True, help="Print the notes; write nothing.")
@root_option
def release(version: str, archives: Path | None, dry_run: bool, root: Path) -> None:
    """Release the data as VERSION: checked, canaries run, notes computed, recorded with its digest, archived."""
    kept = archives or release_archives(root)
    try:
        check_version(root, version)
        engine = _proven(root)
        previous, notes = _notes(root, kept, engine)
        made = None if dry_run else publish(root, kept, version, date.today(), previous, notes)
    except (ReleaseError, DataError) as error:
        raise click.ClickException(f"{error}: nothing was released") from None
    click.echo(f"Release {version}" + (f", against {previous}" if previous else ""))
    for line in notes:
        click.echo(f"  {line}")
    if made is not None:
        click.echo(f"Digest {made.digest}; archive in {kept}. Commit formulary/release.toml and formulary/releases/.")


def _list_releases(root: Path) -> None:
    for item in releases(root):
        click.echo(f"{item.version:14} {item.released_on} {item.digest[:12]}  {item.notes[0] if item.notes else ''}")


@click.command()
@click.option("--all", "listing", is_flag=True, help="List every recorded release.")
@archives_option
@json_option
@root_option
def verify(listing: bool, archives: Path | None, as_json: bool, root: Path) -> None:
    """Whether the data are those of the release whose version they carry; exit code 1 when they are not."""
    try:
        if listing:
            _list_releases(root)
        version, digest = read_knowledge(root)[0].version, digest_of(root)
        how = standing(root, version, digest)
        changed = () if how in (RELEASED, UNRECORDED) else _changed(root, archives or release_archives(root), version)
    except ReleaseError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        told = {"version": version, "digest": digest, "standing": how, "changed": changed}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        _echo_standing(version, digest, how, changed)
    sys.exit(0 if how == RELEASED else 1)


def _changed(root: Path, archives: Path, version: str) -> tuple[str, ...]:
    """Files that differ from the release; none when its data can't be had."""
    try:
        with data_of(root, archives, find_release(root, version)) as found:
            return differing(found, root)
    except ReleaseError as error:
        click.echo(f"note: {error}", err=True)
        return ()


def _echo_standing(version: str, digest: str, how: str, changed: tuple[str, ...]) -> None:
    if how == RELEASED:
        click.echo(f"These are the data of release {version}, digest {digest}.")
    elif how == UNRECORDED:
        click.echo(f"There is no record of a release {version}. Tip: `medsafe data release VERSION` makes one.")
    else:
        click.echo(f"The data carry version {version} but are not its data: digest {digest[:12]}.")
        for name in changed[:SHOWN]:
            click.echo(f"  differs: {name}")
        if len(changed) > SHOWN:
            click.echo(f"  ... and {len(changed) - SHOWN} more")
        click.echo(f"Tip: `medsafe data release VERSION` for what changed, or `medsafe data rollback {version}`.")


@click.command()
@click.argument("version")
@archives_option
@click.option("--hup", type=int, metavar="PID", help="Then send SIGHUP to this gunicorn master, so that it reloads.")
@root_option
def rollback(version: str, archives: Path | None, hup: int | None, root: Path) -> None:
    """Put the data of an earlier release back; what is there now is archived first."""
    kept = archives or release_archives(root)
    try:
        if recover(root):
            click.echo("An earlier rollback was cut off: what was there before it has been put back first.")
        wanted = find_release(root, version)
        if digest_of(root) == wanted.digest:
            click.echo(f"The data are those of {version} already.")
            return
        with data_of(root, kept, wanted) as found:
            _proven(found)
            aside = set_aside(root, kept)
            restore(root, found)
    except (ReleaseError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The data of {version} are back, digest {wanted.digest[:12]}. What was there: {aside}")
    if hup is None:
        click.echo("Next: reload the service (kill -HUP PID, POST /v1/knowledge/reload, or its watch on the files).")
        return
    os.kill(hup, signal.SIGHUP)
    click.echo(f"Asked {hup} to reload; GET /readyz tells how it went.")


COMMANDS = (release, verify, rollback)

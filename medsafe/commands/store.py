"""Commands for what is kept: `medsafe feedback …` for the pharmacology team, `medsafe store …` for the operator."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
import orjson

from medsafe.settings import SettingsError, read_settings
from medsafe.store.database import StoreError, newest_revision
from medsafe.store.records import prune as prune_records
from medsafe.store.reports import FIELDS, RuleReport, export, report
from medsafe.store.store import Store, open_store

# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _store() -> Store:
    """The store of the environment, as the service itself would open it."""
    try:
        # The commands open no port: what holds for an address that others can reach is no matter here.
        found = open_store(read_settings({**os.environ, "MEDSAFE_BIND": ""}))
    except SettingsError as error:
        raise click.ClickException("\n".join(error.problems)) from None
    if found is None:
        raise click.ClickException("MEDSAFE_STORE_URL is none: nothing is kept.")
    return found


@contextmanager
def _transaction(writes: bool) -> Iterator[tuple[Store, Any]]:
    kept = _store()
    try:
        with kept.database.begin(writes) as connection:
            yield kept, connection
    except StoreError as error:
        raise click.ClickException(f"the {kept.database.kind} store can't be used: {error}") from None
    finally:
        kept.database.close()


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("expected a date such as 2026-11-01", param_hint="--since") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


since_option: Callable[[Any], Any] = click.option(
    "--since", help="Only from this date or time on (UTC), such as 2026-11-01."
)


@click.group()
def feedback() -> None:
    """What became of the cards: accepted, overridden and why."""


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


@feedback.command("export")
@since_option
@click.option("--format", "as_format", type=click.Choice(["csv", "ndjson"]), default="csv", show_default=True)
def export_command(since: str | None, as_format: str) -> None:
    """Write every outcome, one a line, with the rule and the knowledge version behind its card."""
    with _transaction(writes=False) as (_, connection):
        rows = export(connection, _since(since))
        if as_format == "ndjson":
            for row in rows:
                click.echo(orjson.dumps(row))
            return
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(FIELDS)
        for row in rows:
            writer.writerow([_cell(row[name]) for name in FIELDS])


def _shown(row: RuleReport) -> dict[str, Any]:
    rate = row.override_rate
    return {
        "rule": row.rule,
        "hazard": row.hazard,
        "severity": row.severity,
        "knowledge_version": row.knowledge_version,
        "cards": row.cards,
        "accepted": row.accepted,
        "overridden": row.overridden,
        "override_rate": None if rate is None else round(rate, 3),
        "reasons": dict(row.reasons),
    }


def _line(row: RuleReport) -> str:
    rate = "-" if row.override_rate is None else f"{row.override_rate:.0%}"
    why = ", ".join(f"{reason} {count}" for reason, count in row.reasons[:3])
    return (
        f"{row.rule[:48]:48} {row.severity[:8]:8} {row.knowledge_version[:12]:12} "
        f"{row.cards:>7} {row.accepted:>8} {row.overridden:>10} {rate:>6}  {why}"
    )


@feedback.command("report")
@since_option
@click.option("--top", default=20, show_default=True, help="How many rules to show; 0 for all.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def report_command(since: str | None, top: int, as_json: bool) -> None:
    """Show the rules that are overridden most, by knowledge version, with the reasons given."""
    with _transaction(writes=False) as (_, connection):
        rows = report(connection, _since(since))
    rows = rows[:top] if top else rows
    if as_json:
        click.echo(orjson.dumps([_shown(row) for row in rows], option=orjson.OPT_INDENT_2))
        return
    heads = f"{'rule':48} {'severity':8} {'knowledge':12} {'cards':>7} {'accepted':>8} {'overridden':>10} {'rate':>6}  reasons"
    click.echo("\n".join([heads, *(_line(row) for row in rows)]) if rows else "No card and no feedback is kept.")


@feedback.command("prune")
@click.option("--days", type=click.IntRange(min=1), help="Keep this many days; else MEDSAFE_FEEDBACK_DAYS.")
def prune_command(days: int | None) -> None:
    """Delete cards and feedback that are older than they are to be kept; the service does so by itself too."""
    with _transaction(writes=True) as (kept, connection):
        cards, told = prune_records(connection, datetime.now(UTC), days or kept.days)
    click.echo(f"deleted {cards} cards and {told} outcomes")


@click.group("store")
def store() -> None:
    """The database of the service."""


@store.command("upgrade")
def upgrade_command() -> None:
    """Bring the tables to the shape this release works with; the service does so at start too."""
    kept = _store()
    try:
        before, after = kept.database.upgrade()
    except StoreError as error:
        raise click.ClickException(f"the {kept.database.kind} store can't be used: {error}") from None
    finally:
        kept.database.close()
    click.echo(
        f"{kept.database.kind}: already at {after}"
        if before == after
        else f"{kept.database.kind}: {before or 'empty'} -> {after}"
    )


@store.command("status")
def status_command() -> None:
    """Say which database is used and the shape of its tables."""
    kept = _store()
    try:
        found = kept.database.revision()
    except StoreError as error:
        raise click.ClickException(f"the {kept.database.kind} store can't be used: {error}") from None
    finally:
        kept.database.close()
    click.echo(f"{kept.database.kind}: tables at {found or 'nothing yet'}, this release works with {newest_revision()}")

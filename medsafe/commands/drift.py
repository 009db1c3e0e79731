"""`medsafe data drift`: rules that went silent or loud against their own history."""

from __future__ import annotations

import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from medsafe.commands.data import json_option, root_option
from medsafe.drift import ALPHA, HISTORY, SILENT, WINDOWS, Drift, drifts
from medsafe.library.load import read_knowledge
from medsafe.model.knowledge import Knowledge
from medsafe.rule_history import Day, HistoryError, read_history, today

DAY = click.DateTime(formats=["%Y-%m-%d"])


def _is_there(rule: str, k: Knowledge) -> bool:
    """Whether the record that a rule names is in the data; a rule whose record was removed is silent for that reason."""
    parts = rule.split(":")
    known = (k.drugs, k.classes, k.interactions, k.effects, k.opioid_rules, k.stopping)
    return len(parts) < 2 or any(parts[1] in records for records in known)


def _plain(item: Drift, k: Knowledge) -> dict[str, Any]:
    return {
        "rule": item.rule,
        "direction": item.direction,
        "window_days": item.window_days,
        "now": {"spoke": item.now.fired, "reviews": item.now.reviews},
        "before": {"spoke": item.before.fired, "reviews": item.before.reviews},
        "ratio": item.ratio,
        "dispersion": round(item.dispersion, 2),
        "p": item.p,
        "in_data": _is_there(item.rule, k),
    }


def _told(row: dict[str, Any]) -> str:
    now, before = row["now"], row["before"]
    change = "never before" if row["ratio"] is None else f"{row['ratio']:.2f} times its rate"
    gone = "" if row["in_data"] else "  (its record is no longer in the data)"
    return (
        f"{row['direction']:6} {row['rule']:44} last {row['window_days']} d: {now['spoke']} of {now['reviews']} reviews; "
        f"before: {before['spoke']} of {before['reviews']}; {change}, p {row['p']:.1g}{gone}"
    )


def _files(given: tuple[Path, ...]) -> list[Path]:
    default = os.environ.get("MEDSAFE_RULE_HISTORY", "").strip()
    if not given and not default:
        raise click.ClickException("name the history, or set MEDSAFE_RULE_HISTORY as for the service")
    return list(given) or [Path(default)]


def _head(days: tuple[Day, ...], until: date) -> str:
    reviews = sum(day.reviews for day in days)
    first = days[0].day if days else "nothing yet"
    return (
        f"{len(days)} days from {first}, {reviews} reviews; windows of {WINDOWS[0]} and {WINDOWS[1]} days to {until} "
        f"against the {HISTORY} days before"
    )


@click.command()
@click.argument("history", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--until", type=DAY, help="Last day of the window; default: today (UTC).")
@json_option
@root_option
def drift(history: tuple[Path, ...], until: datetime | None, as_json: bool, root: Path) -> None:
    """Rules that went silent or loud; HISTORY: the files of all machines, default MEDSAFE_RULE_HISTORY. Exit code 1: some did."""
    last = until.date() if until else today()
    try:
        days = read_history(_files(history))
    except HistoryError as error:
        raise click.ClickException(str(error)) from None
    knowledge, _ = read_knowledge(root)
    rows = [_plain(item, knowledge) for item in drifts(days, last)]
    if as_json:
        told = {"until": last, "days": len(days), "reviews": sum(d.reviews for d in days), "drifted": rows}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(_head(days, last))
        for row in sorted(rows, key=lambda r: r["direction"] != SILENT):
            click.echo(_told(row))
        click.echo(f"{len(rows)} rules drifted (p below {ALPHA} over all rules, rate at least halved or doubled)")
    sys.exit(1 if rows else 0)


COMMANDS = (drift,)

"""A review, and a drug's bands, for a terminal: readable at a glance. Adds no judgement."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

from medsafe.model.drugs import Band, Drug
from medsafe.model.vocabulary import CHILD_PUGH

COLOURS = {"critical": "bold white on red", "high": "bold red", "moderate": "yellow", "low": "cyan"}


def _finding(item: dict[str, Any], console: Console) -> None:
    colour = COLOURS[item["severity"]]
    marks = " NEW" if item["new"] else ""
    console.print(
        f"[{colour}]{item['severity'].upper():9}[/] {escape(item['summary'])}[dim]{marks} ({item['hazard']})[/]"
    )
    for line in item["management"]:
        console.print(f"          → {escape(line)}")
    for line in item["modifiers"]:
        console.print(f"          [dim]· {escape(line)}[/]")
    sources = ", ".join(f"{s['id']}#{s['locator']} ({s['status']})" for s in item["sources"][:3])
    if sources:
        console.print(f"          [dim]source: {escape(sources)}[/]")


def _suggestion(item: dict[str, Any], console: Console) -> None:
    console.print(
        f"  {item['rank']}. [bold]{escape(item['label'])}[/] [dim]({item['action']}, for {escape(item['for'])})[/]"
    )
    console.print(f"     {escape(item['rationale'])}")
    if item["titration"]:
        console.print(f"     [dim]titration: {escape(item['titration'])}; review: {escape(item['review_after'])}[/]")
    for caution in item["cautions"]:
        console.print(f"     [{COLOURS[caution['severity']]}]{caution['severity']}[/] {escape(caution['summary'])}")


def show_review(shown: dict[str, Any], console: Console) -> None:
    """Print a whole review."""
    complete = "complete" if shown["complete"] else "NOT complete: see what could not be checked"
    console.print(f"[bold]{shown['status'].upper()}[/] ({complete}) · knowledge {shown['knowledge']['version']}")
    renal, opioids = shown["organ_function"]["renal"], shown["opioids"]
    console.print(
        f"CrCl {renal['crcl_ml_min']} mL/min · eGFR {renal['egfr_ml_min_173m2']} · KDIGO {renal['kdigo']} · "
        f"oral morphine equivalent {opioids['ome_mg_per_day']} mg/day ({opioids['table']})"
    )
    for caveat in renal["caveats"]:
        console.print(f"[dim]  · {escape(caveat)}[/]")
    for title, key, show in (("Findings", "findings", _finding), ("Suggestions", "suggestions", _suggestion)):
        if shown[key]:
            console.print(f"\n[bold underline]{title}[/]")
            for item in shown[key]:
                show(item, console)
    if shown["excluded"]:
        console.print("\n[bold underline]Ruled out[/]")
        for item in shown["excluded"]:
            console.print(
                f"  {item['action']} {item['drug'] or ''} [dim](for {escape(item['for'])})[/]: {escape(' '.join(item['because']))}"
            )
    if shown["notices"]:
        console.print("\n[bold underline]Not checked, or doubtful[/]")
        for item in shown["notices"]:
            console.print(f"  [magenta]{item['code']}[/] {escape(item['field'])}: {escape(item['message'])}")
    console.print(f"\n[dim]{shown['disclaimer']}[/]")


def _band(title: str, band: Band | None, console: Console) -> None:
    if band is None:
        console.print(f"  {title:28} [magenta]not on record[/]")
        return
    numbers = [
        f"max {band.max_daily_dose:g}/day" if band.max_daily_dose else "",
        f"max {band.max_single_dose:g}/dose" if band.max_single_dose else "",
        f"every {band.min_interval_h:g} h or less often" if band.min_interval_h else "",
        f"x {band.dose_factor:g}" if band.dose_factor else "",
    ]
    console.print(
        f"  {title:28} [bold]{band.action:16}[/] {', '.join(n for n in numbers if n):32} {escape(band.advice)}"
    )


def show_bands(drug: Drug, console: Console) -> None:
    """Print what happens to one drug at CrCl 90 … 5, each dialysis modality and Child-Pugh A to C."""
    console.print(f"[bold]{drug.name}[/] (doses in {drug.dose_unit}) · {', '.join(drug.classes)}")
    if drug.renal is None:
        console.print("  kidneys: [magenta]not on record[/]")
    else:
        for value in (90, 60, 50, 45, 30, 29, 20, 15, 10, 5):
            fitting = [b for b in drug.renal.bands if b.holds(value)]
            shown: list[Band | None] = [*fitting] or [None]
            for band in shown:
                scope = (
                    f" ({', '.join(sorted(band.scope.routes | band.scope.forms))})"
                    if band and (band.scope.routes or band.scope.forms)
                    else ""
                )
                _band(f"{drug.renal.estimate} {value}{scope}", band, console)
        for modality in ("haemodialysis", "peritoneal", "crrt"):
            _band(modality, drug.renal.dialysis.get(modality), console)
    for grade in CHILD_PUGH:
        _band(f"Child-Pugh {grade}", drug.hepatic.get(grade), console)

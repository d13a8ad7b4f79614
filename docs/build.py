"""Writes the generated reference pages: `python docs/build.py` (or `make docs`)."""

from __future__ import annotations

from pathlib import Path

from wayfare.cli.reference import commands_markdown
from wayfare.report.reference import analysis_index, analysis_pages

REFERENCE = Path(__file__).parent / "reference"
PICTURES = Path(__file__).parent / "pictures"


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    analyses = {REFERENCE / "analyses" / f"{name}.md": text for name, text in analysis_pages().items()}
    return {
        REFERENCE / "commands.md": commands_markdown(),
        REFERENCE / "analyses" / "README.md": analysis_index(),
        **analyses,
    }


def pictures() -> dict[Path, str]:
    """The pictures that the README and the how-tos show: of the simulated company, and they say so."""
    import pyarrow as pa

    import wayfare as wf
    from wayfare.charts.document_drawing import Facts, costs_in, evidence_in, picture_of
    from wayfare.demo import SCHEMA, Company, documents, records
    from wayfare.domain.canvas import Canvas
    from wayfare.domain.value_chain import ValueChain

    table = pa.Table.from_batches(list(records(Company())), schema=SCHEMA)
    columns = {name: name for name in SCHEMA.names if name not in ("customer", "time", "event")}
    log = wf.read_events(
        table, customer="customer", time="time", event="event", zone="Europe/Amsterdam", **columns
    )
    study = wf.Study(log, documents={each.name: each for each in documents()})
    canvas, chain = study.document(Canvas), study.document(ValueChain)
    found = wf.canvas_evidence(study).evidence.to_pylist()
    spent = wf.activity_costs(study).activities.to_pylist()
    facts = Facts(evidence_in(canvas, found, "EUR"), None, "EUR", "Simulated customers")
    costs = Facts(None, costs_in(spent, "EUR"), "EUR", "Simulated customers")
    drawn = {
        "journey-map": wf.stages(study).chart(),
        "blueprint": wf.journey_map(study).chart(),
        "canvas": picture_of(canvas, facts).simulated(),
        "value-chain": picture_of(chain, costs).simulated(),
    }
    return {PICTURES / f"{name}.svg": picture.svg() for name, picture in drawn.items()}


def main() -> None:
    """Writes the pages and the pictures, and removes the pages whose subject is gone."""
    wanted = {**pages(), **pictures()}
    for path in (REFERENCE / "analyses").glob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")


if __name__ == "__main__":
    main()

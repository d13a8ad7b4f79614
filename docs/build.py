"""Writes the generated reference pages: `python docs/build.py` (or `make docs`)."""

from __future__ import annotations

from pathlib import Path

from wayfare.cli.reference import commands_markdown
from wayfare.report.reference import analysis_index, analysis_pages

REFERENCE = Path(__file__).parent / "reference"
PICTURE = Path(__file__).parent / "pictures" / "journey-map.svg"


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    analyses = {REFERENCE / "analyses" / f"{name}.md": text for name, text in analysis_pages().items()}
    return {
        REFERENCE / "commands.md": commands_markdown(),
        REFERENCE / "analyses" / "README.md": analysis_index(),
        **analyses,
    }


def journey_map() -> str:
    """The journey map of the simulated company, as the README shows it."""
    import pyarrow as pa

    import wayfare as wf
    from wayfare.demo import SCHEMA, Company, journey, records

    table = pa.Table.from_batches(list(records(Company())), schema=SCHEMA)
    columns = {name: name for name in SCHEMA.names if name not in ("customer", "time", "event")}
    log = wf.read_events(
        table, customer="customer", time="time", event="event", zone="Europe/Amsterdam", **columns
    )
    return wf.stages(wf.Study(log, wf.JourneyMap(**journey()))).chart().svg()


def main() -> None:
    """Writes the pages and the picture, and removes the pages whose subject is gone."""
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(journey_map(), encoding="utf8")
    wanted = pages()
    for path in (REFERENCE / "analyses").glob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")


if __name__ == "__main__":
    main()

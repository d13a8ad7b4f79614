"""Writes the generated reference pages: `python docs/build.py` (or `make docs`)."""

from __future__ import annotations

from pathlib import Path

from wayfare.cli.reference import commands_markdown
from wayfare.report.reference import analysis_index, analysis_pages

REFERENCE = Path(__file__).parent / "reference"


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    analyses = {REFERENCE / "analyses" / f"{name}.md": text for name, text in analysis_pages().items()}
    return {
        REFERENCE / "commands.md": commands_markdown(),
        REFERENCE / "analyses" / "README.md": analysis_index(),
        **analyses,
    }


def main() -> None:
    """Writes the pages and removes those whose subject is gone."""
    wanted = pages()
    for path in (REFERENCE / "analyses").glob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")


if __name__ == "__main__":
    main()

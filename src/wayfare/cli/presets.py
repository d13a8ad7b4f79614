"""`wayfare presets`."""

from __future__ import annotations

from wayfare.cli.options import Format, FormatOption
from wayfare.cli.show import print_rows


def presets(format: FormatOption = Format.TABLE) -> None:
    """List the presets: exports of known programs that wayfare ingest --preset NAME reads."""
    from wayfare.histories.ingest import presets as known

    rows = [{"preset": preset.name, "reads": preset.about} for preset in known()]
    print_rows(rows, ("preset", "reads"), format)

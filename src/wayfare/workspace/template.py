"""The text of `wayfare.yaml`: what a new one says."""

from __future__ import annotations

import yaml

_NEW = """\
# The settings of this Wayfare workspace. Edit them freely; what you write stays as you wrote it.

name: {name}
currency: {currency}        # of all money in the log
timezone: {timezone}        # days, weeks and months are those of this zone

# What later months are compared with:
# baseline:
#   from: 2024-01-01
#   to: 2024-06-30

# Documents (the journey map, the canvas, the value chain) are in wayfare.db beside this file; a team keeps them in
# PostgreSQL (leave the password to PGPASSWORD, or name the address in WAYFARE_DATABASE instead):
# database: postgresql://user@host/name

# What analyses are asked with where you don't say, by analysis and parameter (wayfare explain ANALYSIS names them):
# parameters:
#   opportunities:
#     budget: 500
#     effects: [remind=0.01:0.03:0.06, win back=0:0.05:0.1]
"""


def new_text(name: str, currency: str, timezone: str) -> str:
    """The file of a new workspace."""
    return _NEW.format(name=_scalar(name), currency=_scalar(currency), timezone=_scalar(timezone))


def _scalar(value: str) -> str:
    """`value` as YAML text on one line, quoted where it would be read as something else."""
    written = yaml.safe_dump([value], allow_unicode=True, default_flow_style=True, width=1_000_000)
    return written.strip()[1:-1]

"""Optional means unloaded: what is not asked for is not imported, and `import wayfare` is light."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

EXTRAS = ("pyspark", "psycopg", "polars", "vaderSentiment", "chdb", "playwright")
HEAVY = ("numpy", "pandas", "pyarrow", "duckdb", "scipy", "sklearn", "statsmodels", "altair", "vl_convert")

REPORT = """
import json, sys
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""

FOLD = """
import pandas as pd
import wayfare as wf

frame = pd.DataFrame({
    "who": ["a", "a", "b"],
    "when": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-01"], utc=True),
    "what": ["view", "purchase", "view"],
})
log = wf.read_events(frame, customer="who", time="when", event="what")
result = wf.funnel(log, steps=["view", "purchase"])
assert [row["customers"] for row in result.to_dict()["tables"]["steps"]] == [2, 1]
"""


def loaded(script: str) -> set[str]:
    """The top-level modules that a fresh Python holds after `script`."""
    done = subprocess.run(
        [sys.executable, "-c", script + REPORT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_wayfare_is_light():
    assert loaded("import wayfare").isdisjoint({*HEAVY, *EXTRAS})


def test_errors_are_light():
    assert loaded("import wayfare.errors").isdisjoint({*HEAVY, *EXTRAS})


def test_help_is_light():
    pytest.importorskip("wayfare.cli.main", reason="the command line is not there", exc_type=ImportError)
    script = "import sys; sys.argv = ['wayfare', '--help']\nfrom wayfare.cli.main import main\n"
    script += "try:\n    main()\nexcept SystemExit:\n    pass\n"
    assert loaded(script).isdisjoint({*HEAVY, *EXTRAS})


def test_a_real_fold_loads_no_extra():
    wayfare = pytest.importorskip("wayfare")
    if not (hasattr(wayfare, "read_events") and hasattr(wayfare, "funnel")):
        pytest.skip("wayfare.read_events or wayfare.funnel is not there")
    assert loaded(FOLD).isdisjoint(EXTRAS)

"""The docs say what is true: generated pages are fresh, links lead somewhere, every example runs."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
WRITTEN = [page for page in PAGES if "reference" not in page.relative_to(ROOT).parts]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HALVES = ("functional", "dysfunctional")
NOT_RUN = ("make", "git", "pip", "python3", "source", "wayfare serve", "curl")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def builder():  # type: ignore[no-untyped-def]
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_fresh():
    for path, text in builder().pages().items():
        assert path.exists(), f"{name(path)} is missing: run make docs"
        assert path.read_text("utf8") == text, f"{name(path)} is stale: run make docs"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{name(page)} links to {target}"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with the exports that the docs speak of: `events.csv` (clicks and orders) and `orders.csv` (order lines)."""
    rng = np.random.default_rng(1)
    customer = np.repeat([f"u{i:03d}" for i in range(300)], 8)
    event = np.tile(
        ["visit", "product_view", "product_view", "cart", "checkout", "purchase", "visit", "purchase"], 300
    )
    kept = rng.random(len(event)) < 0.7
    day = np.repeat(rng.integers(0, 200, 300), 8) + np.tile(np.arange(8), 300) * rng.integers(
        1, 9, len(event)
    )
    frame = pd.DataFrame(
        {
            "user_id": customer,
            "timestamp": pd.Timestamp("2025-01-01")
            + pd.to_timedelta(day * 24 * 60 + rng.integers(0, 1440, len(event)), unit="min"),
            "event": event,
            "channel": np.repeat(rng.choice(["search", "ads", "email"], 300), 8),
            "device": rng.choice(["mobile", "desktop"], len(event)),
            "value": np.where(event == "purchase", rng.gamma(3, 12, len(event)).round(2), np.nan),
        }
    )[kept]
    frame.to_csv(tmp_path / "events.csv", index=False)
    orders = frame[frame["event"] == "purchase"].rename(
        columns={"user_id": "customer_id", "timestamp": "order_date", "value": "amount"}
    )
    orders[["customer_id", "order_date", "amount"]].to_csv(tmp_path / "orders.csv", index=False)
    write_answers(tmp_path, orders)
    return tmp_path


def write_answers(folder: Path, orders: pd.DataFrame) -> None:
    """`answers.csv` and `answers-long.csv` (a survey after orders), `features.csv` (Kano questions)."""
    rng = np.random.default_rng(2)
    asked = orders.drop_duplicates("customer_id")
    answers = pd.DataFrame(
        {
            "user_id": asked["customer_id"],
            "answered_at": asked["order_date"] + pd.Timedelta(days=3),
            "device": asked["device"],
            "recommend": rng.integers(0, 12, len(asked)),
            "satisfied": rng.choice(["very happy", "happy", "so-so", "no opinion"], len(asked)),
            "waiting": rng.integers(1, 8, len(asked)),
            "heard": rng.choice(["radio", "web; friends", ""], len(asked)),
            "remark": rng.choice(["Fine.", "", "Late again"], len(asked)),
        }
    )
    first, second = answers[::2], answers[1::2]
    first.to_csv(folder / "answers.csv", index=False)
    long = second.melt(["user_id", "answered_at", "device"], var_name="question", value_name="answer")
    long.to_csv(folder / "answers-long.csv", index=False)
    words = ["I like it", "I expect it", "I am neutral", "I can tolerate it", "I dislike it"]
    halves = {
        f"{key}_{half}": rng.choice(words, len(asked)) for key in ("tracking", "gift") for half in HALVES
    }
    features = pd.DataFrame({"user_id": asked["customer_id"], **halves, "tracking_importance": 7})
    features.to_csv(folder / "features.csv", index=False)


@pytest.mark.parametrize("page", WRITTEN, ids=name)
def test_every_example_runs(page: Path, shop: Path):
    environment = {
        **os.environ,
        "EDITOR": "true",  # whoever edits leaves the text as it is
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
    }
    script = []
    for language, text in BLOCK.findall(page.read_text("utf8")):
        if language == "console":
            commands = [line[2:] for line in text.replace("\\\n", " ").splitlines() if line.startswith("$ ")]
            for command in commands:
                if not command.startswith(NOT_RUN):
                    done = subprocess.run(
                        command,
                        shell=True,
                        cwd=shop,
                        env=environment,
                        capture_output=True,
                        text=True,
                        check=False,
                    )
                    assert done.returncode == 0, f"{name(page)}: {command}\n{done.stdout}\n{done.stderr}"
        elif language == "yaml" and (file := re.match(r"# (\S+\.yaml)\n", text)):
            (shop / file[1]).write_text(text, "utf8")
        elif language == "python":
            script.append(text)
    if script:
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(script)],
            cwd=shop,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{name(page)}:\n{done.stderr}"

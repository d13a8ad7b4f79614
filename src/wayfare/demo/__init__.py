"""A simulated coffee roaster with planted truths: what an analysis should find is known beforehand."""

from __future__ import annotations

from wayfare.demo.company import Channel, Company
from wayfare.demo.documents import documents, journey
from wayfare.demo.simulate import SCHEMA, records
from wayfare.demo.surveys import questionnaires
from wayfare.demo.truths import Truth, truths, truths_text
from wayfare.demo.write import Export, write_csv

__all__ = [
    "SCHEMA",
    "Channel",
    "Company",
    "Export",
    "Truth",
    "documents",
    "journey",
    "questionnaires",
    "records",
    "truths",
    "truths_text",
    "write_csv",
]

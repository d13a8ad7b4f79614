"""The standard study and its report: one file that leads with what matters."""

from __future__ import annotations

from wayfare.report.page import render, write
from wayfare.report.standard import Outcome, Ranked, StudyReport, standard_study

__all__ = ["Outcome", "Ranked", "StudyReport", "render", "standard_study", "write"]

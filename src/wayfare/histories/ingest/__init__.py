"""Raw records in, a sealed log out: any file, database or frame, with what could not be used kept aside."""

from wayfare.histories.ingest.detect import detect
from wayfare.histories.ingest.frames import memory_source
from wayfare.histories.ingest.mapping import Detected, Mapping
from wayfare.histories.ingest.presets import Preset, PresetInfo, load_preset, presets
from wayfare.histories.ingest.run import ingest
from wayfare.histories.ingest.summary import EventCount, IngestSummary

__all__ = [
    "Detected", "EventCount", "IngestSummary", "Mapping", "Preset", "PresetInfo",
    "detect", "ingest", "load_preset", "memory_source", "presets",
]  # fmt: skip

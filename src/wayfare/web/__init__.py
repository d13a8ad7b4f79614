"""The web surface: pages, a JSON API and downloads, made from the registry; it reads and never changes anything."""

from __future__ import annotations

from wayfare.web.server import serve

__all__ = ["serve"]

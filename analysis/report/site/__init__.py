"""The site of a release: static pages that open from disk, without network or server."""

from __future__ import annotations

from analysis.report.site.build import build_site

__all__ = ["build_site"]

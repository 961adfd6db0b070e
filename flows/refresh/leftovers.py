"""What refreshes that were killed or failed leave behind: found by `doctor`, removed by the next
refresh.
"""

from __future__ import annotations

import os
from pathlib import Path

from flows.refresh import kept_years
from warehouse.errors import ReleaseError
from warehouse.lake.loads import prune_lake
from warehouse.releases.publish import never_published, read_manifest, release_names
from warehouse.releases.seal import remove_tree
from warehouse.settings.config import Config


def leftovers(config: Config) -> list[Path]:
    """Files and folders that nobody needs: halves of links, of builds, of loads and of years kept
    for Spark, releases that no reader ever got.

    While a refresh runs, what it is writing just now is among them.
    """
    home, lake = config.home, config.lake
    patterns = (
        (home, ".current.*"), (home, ".published.*"), (home, ".refresh.lock.*"),
        (home, ".doctor.*"), (home, ".alerts.json.*"), (lake, ".active.*"),
        (config.builds, ".*.tmp"), (config.builds, config.spill.name), (lake / "loads", "*/.*"),
        (lake / "sets", ".*"), (lake / "schema", ".*"),
    )  # fmt: skip
    found = [path for folder, pattern in patterns for path in sorted(folder.glob(pattern))]
    found += kept_years.uncounted(kept_years.folder_of(home))
    return found + [config.builds / name for name in never_published(home)]


def remove_leftovers(config: Config) -> list[Path]:
    """Remove them; the caller holds the refresh lock, so nobody is writing them. Returns what was
    removed.
    """
    found = leftovers(config)
    for path in found:
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    return [path for path in found if not os.path.lexists(path)]


def prune_lake_to_releases(config: Config) -> str:
    """Remove from the lake what no release on disk was made from; returns why nothing was removed,
    if a manifest does not say what its release needs.
    """
    try:
        manifests = [read_manifest(config.home, name) for name in release_names(config.home)]
    except ReleaseError as error:
        return f"warning: nothing was removed from the lake: {error}"
    loads = {(load["source"], load["load_id"]) for manifest in manifests for load in manifest.loads}
    prune_lake(config.lake, loads, {manifest.set_id for manifest in manifests})
    return ""

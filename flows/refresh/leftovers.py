"""What refreshes leave behind: loads and sets that no release on disk was made from."""

from __future__ import annotations

from warehouse.errors import ReleaseError
from warehouse.lake.loads import prune_lake
from warehouse.releases.publish import read_manifest, release_names
from warehouse.settings.config import Config


def prune_lake_to_releases(config: Config) -> str:
    """Remove from the lake what no release on disk was made from; returns why nothing was removed, if a manifest does not say what its release needs."""
    try:
        manifests = [read_manifest(config.home, name) for name in release_names(config.home)]
    except ReleaseError as error:
        return f"warning: nothing was removed from the lake: {error}"
    loads = {(load["source"], load["load_id"]) for manifest in manifests for load in manifest.loads}
    prune_lake(config.lake, loads, {manifest.set_id for manifest in manifests})
    return ""

"""The daily look at the releases on disk: are they what was published?"""

from __future__ import annotations

from flows.telling.alerts import tell_trouble
from flows.telling.lines import Say, say_at_once
from warehouse.releases.publish import broken_releases
from warehouse.settings.config import Config


def look_at_seals(config: Config, say: Say = say_at_once) -> list[str]:
    """What was changed, one sentence a release; whoever the configuration names is alerted of it
    once.
    """
    told = [
        f"release {name} was changed after its publication: {'; '.join(wrong)}"
        for name, wrong in broken_releases(config.home).items()
        if wrong
    ]
    for line in told:
        say(line)
    tell_trouble(config, "seals", "A published release was changed.", told, say)
    return told

"""The machine's figures for the checks of clock, power, storage and network."""

from __future__ import annotations

from agent.core.model.documents import HostHealth
from agent.diagnostics.site import Site
from agent.host import System, sample
from agent.settings import Store


def host_figures(site: Site) -> HostHealth:
    """As in the health document's `host`, sampled now."""
    store = site.sections.store or Store()
    return sample(store.path, system=System(site.root))

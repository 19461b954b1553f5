"""The engines of one store: which there are, and that each sees to what was queued for it."""

from explorer.engines.local import LocalEngine
from explorer.engines.ray import RayEngine, known
from explorer.runs import Store


class Engines:
    """Worker processes on this machine and, if whoever runs the server named one, a Ray cluster."""

    def __init__(self, store: Store) -> None:
        self.local = LocalEngine(store)
        cluster = known(store)
        self.ray = RayEngine(store, cluster) if cluster else None

    def tend(self) -> None:
        """See to it that what is queued gets run."""
        self.local.tend()
        if self.ray:
            self.ray.tend()

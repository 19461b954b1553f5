"""Random numbers for methods whose library draws them from the generators that the whole process shares."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_LOCK = threading.RLock()  # what draws may explain, and what explains may draw


@contextmanager
def drawn_from(seed: int, device: torch.device) -> Iterator[None]:
    """All draws of the block come from `seed`, on the CPU and on `device`; afterwards all is as it was before.

    One block at a time: captum's methods take no generator of their own, and two threads that draw from the shared
    one would get each other's numbers.
    """
    with _LOCK:
        numpy_state = np.random.get_state()  # noqa: NPY002 - it is what captum draws from
        try:
            with torch.random.fork_rng([device] if device.type == "cuda" else [], device_type="cuda"):
                torch.manual_seed(seed)
                np.random.seed(seed)
                yield
        finally:
            np.random.set_state(numpy_state)

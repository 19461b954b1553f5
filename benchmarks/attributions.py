"""How long do the maps of one image take, per method and for the page's default four on two networks?

python -m benchmarks.attributions --data DATA [--depths 20,56] [--images 5] [--json]

The longest trained of the shipped plain and residual networks, the first test images; medians over the images of the
seconds that `attribute` takes, the copying of the network with it. Processor time stands beside it, for machines that
do other work. `default_four` is saliency, integrated gradients, Grad-CAM and occlusion on both networks of a depth, as
on the page. `fifty_steps` is integrated gradients with 50 steps and no more.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from benchmarks.command import parsed
from explorer import recordings
from explorer.attribution.explain import attribute
from explorer.attribution.methods import METHODS
from explorer.checkpoints import Trained
from explorer.data import sources
from explorer.data.augmentation import prepare
from explorer.recordings import Catalogue, Library
from explorer.runs import Store

DEFAULT_FOUR = ("saliency", "integrated_gradients", "grad_cam", "occlusion")
_CLASS = 3


def measured(work: Callable[[int], Any], images: int) -> dict[str, float]:
    """Medians of wall and processor seconds over the images, after one that is not counted."""
    work(0)
    walls, processors = [], []
    for index in range(images):
        wall, processor = time.perf_counter(), time.process_time()
        work(index)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return {"seconds": statistics.median(walls), "processor_seconds": statistics.median(processors)}


def longest(catalogue: Catalogue, name: str) -> tuple[Trained, int]:
    """The network of that name that was trained longest, and the side of its images."""
    runs = [run for run in catalogue.library.runs() if run.config.network.name == name]
    run = max((run for run in runs if catalogue.has_weights(run.run)), key=lambda run: run.config.training.steps)
    return recordings.trained(catalogue, run.run), run.config.training.image_size


def main() -> None:
    """Print seconds by network and method."""
    options = parsed(
        __doc__, data={"default": "shapes"}, depths={"default": "20,56"}, images={"type": int, "default": 5}
    )
    catalogue = Catalogue(Store(Path(tempfile.mkdtemp())), Library())
    images = sources.load(options.data).test_images[: options.images]
    found: dict[str, Any] = {}
    for depth in options.depths.split(","):
        pair = []
        for name in (f"plain-{depth}", f"resnet-{depth}"):
            trained, size = longest(catalogue, name)
            explain = partial(_explain, trained.network, trained.normalization(prepare(images, size)))
            found[name] = {method: measured(partial(explain, method), options.images) for method in METHODS}
            found[name]["fifty_steps"] = measured(
                partial(explain, "integrated_gradients", tolerance=0.0), options.images
            )
            pair.append(explain)
        found[f"default_four-{depth}"] = measured(partial(_default_four, pair), options.images)
    return print(json.dumps(found) if options.json else json.dumps(found, indent=1))


def _explain(network: nn.Module, images: Tensor, method: str, index: int, **parameters: Any) -> None:
    attribute(network, images[index], _CLASS, method, **parameters)


def _default_four(explainers: list[Callable[[str, int], None]], index: int) -> None:
    for explain in explainers:
        for method in DEFAULT_FOUR:
            explain(method, index)


if __name__ == "__main__":
    main()

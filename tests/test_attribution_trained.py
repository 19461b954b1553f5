"""What maps promise, held on the trained networks that ship with the program."""

import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer import recordings
from explorer.attribution.explain import attribute, attributions
from explorer.checkpoints import Trained
from explorer.data import sources
from explorer.data.augmentation import prepare
from explorer.recordings import Catalogue, Library
from explorer.runs import Run, Store

NAMES = ["plain-20", "plain-56", "resnet-20", "resnet-56", "plain-32:width=8", "plain-56:width=8", "resnet-32:width=8"]
"""Of the longest recordings, and three brief ones: scores of the third hardly change from baseline to image."""
IMAGES = 8
ALLOWED = {"integrated_gradients": 0.01, "deep_lift": 0.01, "lrp": 1e-3, "kernel_shap": 0.01}
"""Of what the map should sum to."""


@pytest.fixture(scope="module")
def shipped() -> Library:
    return Library()


def _trained(store: Store, library: Library, name: str) -> tuple[Run, Trained]:
    """The recorded network of that name that was trained longest."""
    catalogue = Catalogue(store, library)
    named = [run for run in library.runs() if run.config.network.name == name and catalogue.has_weights(run.run)]
    run = max(named, key=lambda run: run.config.training.steps)
    return run, recordings.trained(catalogue, run.run)


@cache
def _images(folder: Path) -> tuple[Tensor, list[int]]:
    images = sources.load(str(folder))
    return images.test_images[:IMAGES].clone(), images.test_labels[:IMAGES].tolist()


@pytest.fixture
def networks(store: Store, shipped: Library, real_cifar10: Path) -> dict[str, tuple[Trained, Tensor, list[int]]]:
    found = {}
    for name in NAMES:
        run, trained = _trained(store, shipped, name)
        pixels, labels = _images(real_cifar10)
        found[name] = (trained, trained.normalization(prepare(pixels, run.config.training.image_size)), labels)
    return found


@pytest.mark.real_data
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ALLOWED)
def test_maps_sum_to_what_they_promise_on_trained_networks(networks, name: str, method: str) -> None:
    trained, images, labels = networks[name]
    few = 2 if method == "kernel_shap" else 4 if "56" in name else IMAGES
    for found in attributions(trained.network, images[:few], labels[:few], method):
        assert found.completeness_error is not None
        rounded = 1e-5 if method == "kernel_shap" else 0.0  # which measures in single precision
        assert found.completeness_error <= ALLOWED[method] * abs(found.difference) + rounded


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["plain-20", "resnet-20"])
def test_grad_cam_of_a_trained_network_equals_autograd_by_hand(networks, name: str) -> None:
    trained, images, labels = networks[name]
    kept: list[Tensor] = []
    handle = trained.network.stage3.register_forward_hook(lambda _m, _i, out: kept.append(out))
    outputs = trained.network.eval()(images)
    handle.remove()
    (gradients,) = torch.autograd.grad(outputs[range(IMAGES), labels].sum(), kept[0])
    expected = torch.einsum("nchw,nc->nhw", kept[0], gradients.mean(dim=(2, 3))).detach()
    for found, cam in zip(attributions(trained.network, images, labels, "grad_cam"), expected, strict=True):
        np.testing.assert_allclose(found.grid, cam, rtol=1e-3, atol=1e-5)


@pytest.mark.real_data
def test_eight_threads_explain_as_one_does(networks) -> None:
    """Half of the work of each thread is on a network that the others explain too."""
    methods = ["deep_lift", "lrp", "guided_backprop", "smooth_grad"]
    jobs = [(name, index) for name in ("plain-20", "resnet-20") for index in range(IMAGES)]

    def maps(name: str, index: int) -> list[np.ndarray]:
        trained, images, labels = networks[name]
        return [attribute(trained.network, images[index], labels[index], method).values for method in methods]

    alone = {job: maps(*job) for job in jobs}
    together: dict[tuple[int, str, int], list[np.ndarray]] = {}

    def explain(start: int) -> None:
        for job in jobs[start:] + jobs[:start]:
            together[start, *job] = maps(*job)

    threads = [threading.Thread(target=explain, args=(2 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(together) == 8 * len(jobs)
    for (_, *job), found in together.items():
        for one, other in zip(found, alone[tuple(job)], strict=True):
            np.testing.assert_array_equal(one, other)

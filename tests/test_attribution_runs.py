"""All methods on a network wherever it comes from: trained here, shipped with the program, taken in from a file."""

import io

import numpy as np
import pytest
import torch

from explorer import recordings
from explorer.attribution.explain import attribute
from explorer.attribution.methods import METHODS
from explorer.checkpoints import save
from explorer.config import RunConfig, network
from explorer.data import sources
from explorer.data.augmentation import prepare
from explorer.data.image_set import ImageSet
from explorer.data.prepared import prepared
from explorer.imported import take_in
from explorer.networks.build import build
from explorer.recordings import Catalogue, Library
from explorer.runs import Run, Store
from explorer.training import train
from explorer.weights import read
from tests.conftest import TINY_TRAINING

FEWER = {"samples": 12, "patches": 4, "stride": 0.25, "tolerance": 0.0}


def _live(store: Store, images: ImageSet) -> Run:
    config = RunConfig(network("resnet-8:width=4"), TINY_TRAINING, images.name, seed=0)
    model, data = build(config.network, config.seed), prepared(images, config.training)
    for _ in train(model, images, config.training, seed=config.seed):
        pass
    (run,) = store.submit([config], "")
    save(store.checkpoint(run), config, model, data.normalization)
    return store.run(run)


def _recorded(store: Store, _images: ImageSet) -> Run:
    catalogue = Catalogue(store, Library())
    runs = [run for run in catalogue.runs() if catalogue.has_weights(run.run) and run.config.network.depth == 8]
    return min(runs, key=lambda run: run.config.training.steps)


def _imported(store: Store, images: ImageSet) -> Run:
    state = build(network("resnet-8:width=4"), seed=4).state_dict()
    usual = {f"module.{name.replace('stage', 'layer')}": value for name, value in state.items()}
    buffer = io.BytesIO()
    torch.save({"state_dict": usual}, buffer)
    run, _ = take_in(store, read(buffer.getvalue(), "own.pt"), images, "", "resnet-8:width=4", "cifar10")
    return run


@pytest.mark.parametrize("taken", [_live, _recorded, _imported])
def test_every_method_explains_runs_of_every_origin(taken, store: Store) -> None:
    images = sources.load("shapes")
    run = taken(store, images)
    trained = recordings.trained(Catalogue(store, Library()), run.run)
    size = run.config.training.image_size
    image = trained.normalization(prepare(images.test_images[:1], size))[0]
    for method, entry in METHODS.items():
        few = {name: value for name, value in FEWER.items() if name in entry.parameters}
        shares: list[float] = []
        found = attribute(trained.network, image, 3, method, watch=shares.append, **few)
        assert found.values.shape == (size, size)
        assert np.isfinite(found.values).all()
        assert shares[0] == 0
        assert shares == sorted(shares)
        assert shares[-1] <= 1


def test_work_that_is_watched_ends_where_the_watcher_says_so() -> None:
    class EnoughError(Exception):
        pass

    def enough(share: float) -> None:
        if share > 0.1:
            raise EnoughError

    model, before = build(network("resnet-8:width=4"), 0).eval(), torch.get_rng_state()
    image = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(0))
    for method in ("kernel_shap", "integrated_gradients", "occlusion", "feature_ablation"):
        with pytest.raises(EnoughError):
            attribute(model, image, 1, method, watch=enough)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_a_score_that_hardly_changes_is_told_apart_in_double_precision() -> None:
    """A millionth of a step from the baseline the network is a straight line: five points in each section are exact."""
    model = build(network("resnet-8:width=4"), seed=1)
    image = 1e-6 * torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(0))
    shares: list[float] = []
    found = attribute(model, image, 1, "integrated_gradients", watch=shares.append)
    assert 0 < abs(found.difference) < 1e-5
    assert found.completeness_error is not None
    assert found.completeness_error <= 0.01 * abs(found.difference)
    assert len(shares) < 20

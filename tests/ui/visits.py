"""What tests of pages share: opening one, reading it, runs to show on it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from explorer.checkpoints import save
from explorer.config import NetworkConfig, RunConfig
from explorer.data import sources
from explorer.data.prepared import prepared
from explorer.networks.build import build
from explorer.recipes import RECIPES
from explorer.records import EvaluationRecord, LayerResponse, StepRecord
from explorer.runs import DONE, Store
from explorer.ui import sitemap
from tests.conftest import TINY_TRAINING
from tests.test_runs import PROVENANCE

ROUTER = str(Path(__file__).resolve().parents[2] / "explorer" / "ui" / "router.py")
ERRORS = {("plain", 8): 0.40, ("plain", 32): 0.62, ("resnet", 8): 0.38, ("resnet", 32): 0.36}


def visit(name: str, **address: str) -> AppTest:
    """The page called `name`, run once."""
    app = AppTest.from_file(ROUTER, default_timeout=60)
    for key, value in address.items():
        app.query_params[key] = value
    app.switch_page(str(sitemap.entry(name).path)) if name != sitemap.HOME.name else None
    return app.run()


def words(app: AppTest) -> str:
    """All words on the page, with plain spaces."""
    return " ".join(
        [
            *(element.value for element in (*app.markdown, *app.caption, *app.info, *app.error)),
            *(html.proto.body for html in app.get("html")),
        ]
    ).replace("\u00a0", " ")


def finding(app: AppTest) -> str:
    """The one finding of a page that shows no error."""
    assert not app.exception
    assert not app.error
    (said,) = [html.proto.body for html in app.get("html") if 'class="rx-finding"' in html.proto.body]
    return str(said)


def charts(app: AppTest) -> list[dict[str, Any]]:
    """What each chart draws, by the names of its lines."""
    return [{trace.get("name"): trace for trace in figure["data"]} for figure in figures(app)]


def figures(app: AppTest) -> list[dict[str, Any]]:
    """What plotly.js is given for each chart."""
    return [json.loads(one["figure"]) for one in sent(app) if "figure" in one]


def sent(app: AppTest) -> list[dict[str, Any]]:
    """What each component of ours in the page's body is sent."""
    return [json.loads(one.proto.json)[0] for one in app.main.get("bidi_component") if one.proto.json]


def everything(app: AppTest) -> list[str]:
    """All texts of the page: of widgets with their help and options, of what stands between them, of its figures."""
    found: list[str] = []
    for node in (*app.main, *app.sidebar):
        proto = getattr(node, "proto", None)
        if node.type == "bidi_component":
            found += _strings(json.loads(proto.json or "{}"))
        elif isinstance(proto, Message):
            found += _strings(MessageToDict(proto))
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _strings(json.loads(value)) if value.startswith(('{"', "[{")) else (value,)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from () if name in ("font", "key", "id") else _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def finished(
    store: Store, family: str, depth: int, training=RECIPES["brief"].training, width: int = RECIPES["brief"].width
) -> RunConfig:
    """A finished run of the store, as if trained on shapes; without weights."""
    network = NetworkConfig(depth=depth, shortcut="A" if family == "resnet" else "none", width=width)
    config = RunConfig(network, training, sources.resolve("shapes").name)
    store.submit([config], "shapes")
    store.claim(0)
    responses = tuple(LayerResponse(f"layer{i}", 1.0 if family == "plain" else 0.8, 1.0) for i in range(depth - 1))
    error = ERRORS[family, depth]
    store.append(config.run, EvaluationRecord(0, 0, 0, 0.9, 2000, 0.9, 0.5, 2000, responses, 0.1))
    store.append(config.run, StepRecord(1, training.steps, 6.4, 1.0, error, 0.0, 900.0, 30.0))
    store.append(config.run, EvaluationRecord(2, training.steps, 6.4, error, 2000, 0.6, 0.1, 2000, responses, 30.0))
    store.set_provenance(config.run, PROVENANCE)
    store.finish(config.run, DONE)
    return config


def keep_weights(store: Store, config: RunConfig) -> None:
    """The weights of an untrained network, as those of this run."""
    normalization = prepared(sources.load("shapes"), config.training).normalization
    save(store.checkpoint(config.run), config, build(config.network), normalization)


def two_networks(store: Store) -> list[RunConfig]:
    """A plain and a residual network with weights, of random numbers."""
    configs = []
    for family in ("plain", "resnet"):
        config = finished(store, family, 8, replace(TINY_TRAINING, train_images=100), width=4)
        images = sources.load("shapes")
        normalization = prepared(images, config.training).normalization
        save(store.checkpoint(config.run), config, build(config.network, seed=5 + (family == "plain")), normalization)
        configs.append(config)
    return configs

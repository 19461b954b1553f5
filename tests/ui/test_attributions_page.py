"""The page of attributions: maps as they come, images to choose, tests of the maps."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from explorer.attribution.methods import METHODS
from explorer.data import sources
from explorer.runs import Store
from explorer.ui import attribution_answer
from tests.ui.visits import figures, two_networks, visit, words


@pytest.fixture(autouse=True)
def _waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock runs a fragment again in these tests, so a page waits until its maps are there."""
    monkeypatch.setattr(attribution_answer, "_AT_ONCE_SECONDS", 120.0)


def _heatmaps(app: AppTest) -> list[dict]:
    """What the chart of the maps draws."""
    return [trace for figure in figures(app) for trace in figure["data"] if trace["type"] == "heatmap"]


def test_attributions_explain_two_networks_side_by_side(store: Store) -> None:
    two_networks(store)
    app = visit("attributions")
    assert not app.exception
    assert not app.error
    assert "plain-8 says" in words(app)
    assert "All with width=4." in words(app)
    assert len(_heatmaps(app)) == 8
    app.selectbox(key="attributions-target").set_value(3).run()
    assert not app.exception


def test_every_method_is_offered_with_its_parameters_and_its_cost(store: Store) -> None:
    two_networks(store)
    app = visit("attributions")
    app.multiselect(key="attributions-methods").set_value(list(METHODS)).run()
    assert not app.exception
    assert not app.error
    assert len(_heatmaps(app)) == 2 * len(METHODS)
    assert "All maps together take about" in words(app)
    keys = {element.key for element in (*app.number_input, *app.selectbox)}
    for name, method in METHODS.items():
        assert {f"attributions-{name}-{parameter}" for parameter in method.parameters} <= keys


def test_the_baseline_changes_maps_that_use_one_and_no_others(store: Store) -> None:
    two_networks(store)
    app = visit("attributions")
    app.multiselect(key="attributions-methods").set_value(["saliency", "deep_lift"]).run()
    before = [trace["customdata"] for trace in _heatmaps(app)]
    app.selectbox(key="attributions-baseline").set_value("zero").run()
    after = [trace["customdata"] for trace in _heatmaps(app)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, False, False]


def test_images_are_filtered_by_class_and_outcome(store: Store) -> None:
    two_networks(store)
    app = visit("attributions")
    app.selectbox(key="attributions-filter").set_value("all").run()
    app.selectbox(key="attributions-class").set_value(2).run()
    assert not app.exception
    names = [button.label for button in app.button if (button.key or "").startswith("attributions-all-2-")]
    assert len(names) == 9
    assert set(names) == {sources.load("shapes").classes[2]}


def test_maps_are_tested_on_the_image_and_as_studies(store: Store) -> None:
    two_networks(store)
    app = visit("attributions")
    assert "as pixels go" in words(app)
    app.segmented_control(key="attributions-trust").set_value("sanity").run()
    assert not app.exception
    (button,) = [button for button in app.button if button.key == "trust-start"]
    assert button.label.startswith("Measure · about")


def test_maps_come_one_by_one_and_are_stopped_and_gone_on_with(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    two_networks(store)
    monkeypatch.setattr(attribution_answer, "_AT_ONCE_SECONDS", 0.0)
    app = visit("attributions")
    app.multiselect(key="attributions-methods").set_value(["saliency", "kernel_shap"]).run()
    app.number_input(key="attributions-kernel_shap-samples").set_value(5000).run()
    assert not app.exception
    assert len(_heatmaps(app)) < 4
    app.button(key="attributions-answer-stop").click().run()
    assert "of 4 maps are there" in words(app)
    assert len(_heatmaps(app)) < 4
    app.number_input(key="attributions-kernel_shap-samples").set_value(20).run()
    assert "maps are there" not in words(app), "what was stopped is that question, not the next"
    app.number_input(key="attributions-kernel_shap-samples").set_value(5000).run()
    app.button(key="attributions-answer-go-on").click().run()
    app.number_input(key="attributions-kernel_shap-samples").set_value(20).run()
    end = time.monotonic() + 60
    while len(_heatmaps(app)) < 4:
        assert time.monotonic() < end
        app.run()
    assert "as pixels go" in words(app)


def test_a_third_network_comes_with_plus_and_goes_again(store: Store) -> None:
    two_networks(store)
    app = visit("attributions")
    app.multiselect(key="attributions-methods").set_value(["saliency"]).run()
    app.button(key="attributions-more").click().run()
    assert not app.exception
    assert len(_heatmaps(app)) == 3
    assert list(app.query_params["attributions-networks"]) == ["3"]
    app.button(key="attributions-more").click().run()
    assert len(_heatmaps(app)) == 2


def test_the_gallery_begins_with_a_hundred_images_and_goes_on_to_a_thousand(store: Store) -> None:
    two_networks(store)
    app = visit("attributions")
    app.selectbox(key="attributions-filter").set_value("all").run()
    end = time.monotonic() + 60
    while not any("1,000 images" in one.label for one in app.number_input):
        assert any(f"{n}00 images" in one.label for n in range(1, 10) for one in app.number_input)
        assert time.monotonic() < end
        time.sleep(0.1)
        app.run()


def test_a_slide_takes_the_image_and_gives_it_up(store: Store) -> None:
    two_networks(store)
    app = visit("attributions")
    app.multiselect(key="attributions-methods").set_value(["saliency"]).run()
    app.button(key="attributions-slide-add").click().run()
    assert not app.exception
    assert app.button(key="attributions-slide-add").disabled
    assert [one.label for one in app.expander] == ["Slide with 1 of 6 images"]
    app.button(key="attributions-slide-empty").click().run()
    assert not app.expander


@pytest.mark.parametrize("kind", ["noise", "means"])
def test_many_images_are_studied_on_a_press(store: Store, kind: str) -> None:
    two_networks(store)
    app = visit("attributions")
    app.segmented_control(key="attributions-trust").set_value(kind).run()
    assert not app.exception
    (button,) = [button for button in app.button if button.key == "trust-start"]
    assert "about" in button.label

"""A network's name in the address and the widgets say the same, whichever moves."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.config import network


def _script() -> None:
    import streamlit as st

    from explorer.ui import frame, network_controls

    with frame.errors_in_place():
        config = network_controls.chosen("network", "resnet-20")
        st.code(config.name)


def _open(name: str = "") -> AppTest:
    app = AppTest.from_function(_script, default_timeout=30)
    if name:
        app.query_params["network"] = name
    return app.run()


def _shown(app: AppTest) -> str:
    assert not app.exception
    assert app.query_params["network"] in (app.code[0].value, [app.code[0].value])
    return str(app.code[0].value)


@pytest.mark.parametrize(
    "name",
    ["resnet-20", "plain-56:width=32", "resnet-44:shortcut=B,bn=off,init=large,strength=0.5,survival=0.7,dropout=0.2",
     "highway-32:gate_bias=-5", "preresnet-164-bottleneck", "skipinit-56:shortcut=C", "resnet-20:zeros=around",
     "resnet-29-bottleneck:stride_in=3x3", "resnet-1202", "resnet-50@imagenet", "plain-34@imagenet",
     "resnet-34@imagenet:shortcut=A,width=32", "vgg-16@imagenet:bn=on",
     "googlenet@imagenet", "resnet-146", "resnet-20:width=24"],
)  # fmt: skip
def test_widgets_stand_where_the_address_says(name: str) -> None:
    assert _shown(_open(name)) == network(name).name


def test_the_address_follows_the_widgets() -> None:
    app = _open()
    app.select_slider(key="network-depth-cifar-basic").set_value(56).run()
    assert _shown(app) == "resnet-56"
    app.selectbox(key="network-shortcut").set_value("B").run()
    assert _shown(app) == "resnet-56:shortcut=B"
    app.segmented_control(key="network-family").set_value("highway").run()
    assert _shown(app) == "highway-56"
    app.segmented_control(key="network-design").set_value("imagenet").run()
    assert network(_shown(app)).design == "imagenet"


def test_another_block_takes_the_nearest_depth_it_can_have() -> None:
    app = _open("resnet-56")
    app.selectbox(key="network-block").set_value("bottleneck").run()
    assert network(_shown(app)).depth == 56  # 9n+2 too
    app = _open("resnet-44")
    app.selectbox(key="network-block").set_value("bottleneck").run()
    assert network(_shown(app)).depth in (38, 47)


def test_a_wrong_name_in_the_address_is_one_line_above_the_usual_controls() -> None:
    app = _open("resnet-21")
    assert not app.exception
    assert "20 and 26" in app.error[0].value
    assert _shown(app) == "resnet-20"
    app = app.run()
    assert not app.error

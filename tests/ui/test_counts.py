"""What is said of two networks' sizes, and where the paper's figures stand."""

import pytest

from explorer.config import network
from explorer.paper import printed
from explorer.summary import summary
from explorer.ui import counts


def _outline(name: str):
    return summary(network(name))


def test_twins_have_the_same_counts() -> None:
    said = counts.twins(_outline("resnet-20"), _outline("plain-20"))
    assert said.startswith("**Twins:** plain-20 has the same 269,722 parameters and the same 40.55 million")


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (
            "resnet-20:shortcut=B",
            "plain-20",
            "2,752 parameters more (+1.0\u00a0%) and 262,144 multiply-adds more (+0.6\u00a0%)",
        ),
        ("plain-20", "resnet-20:shortcut=B", "2,752 parameters fewer (−1.0\u00a0%)"),
        ("skipinit-20", "plain-20:bn=off", "has 9 parameters more (+0.003\u00a0%) than"),
        ("resnet-56", "resnet-20", "36 weighted layers more (+180.0\u00a0%)"),
    ],
)
def test_others_are_told_by_how_much_they_differ(first: str, second: str, says: str) -> None:
    assert says in counts.twins(_outline(first), _outline(second))


def test_the_papers_figures_stand_beside_those_of_their_network() -> None:
    config = network("resnet-50@imagenet")
    table = counts.table([summary(config), summary(config.twin)], printed(config))
    assert "<th scope='col'>the paper (Table 1)</th>" in table
    assert "<td>3,857,973,248</td><td>3.8×10⁹</td><td>3,498,311,680</td>" in table
    assert "no one rule of rounding" in table


def test_table_1_says_by_how_much_each_count_differs() -> None:
    configs = [network("resnet-152@imagenet"), network("googlenet")]
    table = counts.printed_table([(summary(config), printed(config)) for config in configs])
    assert "<td>11,282,415,616</td><td>11.3×10⁹</td><td>−0.2\u00a0%</td>" in table
    assert "<td>1,498,376,192</td><td></td><td></td>" in table


def test_what_the_paper_counts_otherwise_is_said_below_the_table() -> None:
    configs = [network(name) for name in ("resnet-50@imagenet", "vgg-16@imagenet", "vgg-19@imagenet")]
    table = counts.printed_table([(summary(config), printed(config)) for config in configs])
    for row, mark in zip(("3.8×10⁹", "15.3×10⁹", "19.6×10⁹"), "*†‡", strict=True):
        assert f"<td>{row}{mark}</td>" in table
    assert "† This counts convolutions alone; the linear layers add 0.12.</p>" in table


@pytest.mark.threat("A name, label or caption is a script, or fetches a picture")
def test_stages_show_their_share_and_names_are_escaped() -> None:
    table = counts.stages(_outline("resnet-50@imagenet"))
    assert (
        "<th scope='row'>conv4_x</th><td>14×14, 1024</td><td>18</td><td>7,098,368</td><td>1,387,266,048</td>" in table
    )
    assert "<td>36 %</td>" in table

"""What each command of the command line does; one module a group."""

from argparse import _SubParsersAction
from typing import Any

from explorer.commands import cluster, inspect, machine, measure, reproduce, runs, trainings


def add_to(subparsers: "_SubParsersAction[Any]") -> None:
    """Declare all commands, in the order in which help lists them."""
    for group in (machine, trainings, cluster, reproduce, runs, inspect, measure):
        group.add_to(subparsers)

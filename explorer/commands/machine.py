"""doctor, summary, data: what there is."""

import sys
from argparse import Namespace
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from explorer.commands.output import command, result, say
from explorer.config import network
from explorer.data import sources
from explorer.home import home
from explorer.outline import Stage
from explorer.runs import Store

_PACKAGES = ("streamlit", "torch", "torchvision", "plotly", "captum", "safetensors", "numba")


def add_to(subparsers: Any) -> None:
    """Declare the commands of this group."""
    command(subparsers, "doctor", doctor, "this machine: device, data, store, versions, what is missing")
    parser = command(subparsers, "summary", summarise, "a network's parameters, multiply-adds and layers")
    parser.add_argument("network", help="plain-20, resnet-56:shortcut=B, highway-32, resnet-50@imagenet …")
    parser = command(subparsers, "data", data, "which images are used, or fetch CIFAR-10")
    parser.add_argument("action", choices=("info", "fetch"))
    parser.add_argument("--data", default=sources.usual(), help="auto, cifar10, shapes or a path (info)")


def doctor(options: Namespace) -> None:
    """Describe the machine and say what is missing and how to get it."""
    from explorer.device import device

    machine, source, folder = device(), sources.resolve(sources.usual()), home()
    Store(folder)
    installed = {package: _version(package) for package in _PACKAGES}
    missing = [f"{package}: pip install -r requirements.txt" for package, found in installed.items() if not found]
    if source.kind == "shapes":
        missing.append("CIFAR-10: python -m explorer data fetch")
    values = {
        "device": machine.description,
        "precision": machine.precision("auto"),
        "slots": machine.slots,
        "data": source.description,
        "store": str(folder),
        "python": sys.version.split()[0],
        "versions": installed,
        "missing": missing,
    }
    result(options, values)


def summarise(options: Namespace) -> None:
    """Count a network and compare it with its twin."""
    from explorer.paper import printed
    from explorer.summary import summary

    config = network(options.network)
    counts, twin, paper = summary(config), summary(config.twin), printed(config)
    values = {
        "network": config.name,
        "parameters": counts.parameters,
        "macs": counts.macs,
        "weighted_layers": counts.weighted_layers,
        "stages": [_stage(stage) for stage in counts.stages],
        "twin": {
            "network": config.twin.name,
            "parameters": twin.parameters,
            "macs": twin.macs,
            "same": (twin.parameters, twin.macs) == (counts.parameters, counts.macs),
        },
        "paper": asdict(paper) if paper else None,
    }
    result(options, values)


def _stage(stage: Stage) -> dict[str, Any]:
    channels, size, _ = stage.output
    return {
        "name": stage.name,
        "size": size,
        "channels": channels,
        "layers": stage.weighted_layers,
        "parameters": stage.parameters,
        "macs": stage.macs,
    }


def data(options: Namespace) -> None:
    """Say which images are used; with fetch, get CIFAR-10 first."""
    if options.action == "fetch":
        shown = -1
        from explorer.data import fetch

        for progress in fetch.fetch():
            share = int(100 * progress.bytes_done / progress.bytes_total) if progress.bytes_total else 0
            if share != shown:
                shown = share
                say(f"{share:3d} %  {progress.bytes_done / 1e6:6.1f} MB  {progress.address}")
        options.data = "cifar10"
    source = sources.resolve(options.data)
    values = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(source).items()}
    result(options, values)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

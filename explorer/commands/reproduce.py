"""reproduce cifar: the paper's experiment, in as much time as there is, packed as recordings."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer import recordings
from explorer.commands.output import catalogue, command, finite, numbers, percent, result, say
from explorer.config import RunConfig, network
from explorer.data import sources
from explorer.engines.local import LocalEngine
from explorer.errors import ExplorerError
from explorer.files import replace
from explorer.jobs import follow
from explorer.memory import check_training
from explorer.records import EvaluationRecord
from explorer.runs import DONE, Store


def add_to(subparsers: Any) -> None:
    """Declare the commands of this group."""
    parser = subparsers.add_parser("reproduce", help="the paper's experiments, packed as recordings")
    experiments = parser.add_subparsers(required=True, metavar="EXPERIMENT")
    parser = command(experiments, "cifar", cifar, "section 4.2: plain and residual networks on CIFAR-10")
    parser.add_argument("--networks", help="as plain-20,resnet-20 (default: plain and residual 20 to 56, resnet-110)")
    parser.add_argument("--seeds", default="0", help="as 0,1,2")
    parser.add_argument("--data", default=sources.usual(), help="auto, cifar10 or a path")
    parser.add_argument(
        "--budget-minutes", type=finite, help="fewer iterations than the paper's 64,000: as many as fit"
    )
    parser.add_argument("--out", type=Path, default=Path("recordings"), help="folder for the recordings")


def cifar(options: Namespace) -> None:
    """Train, or go on with what was begun, and pack each run when it is done."""
    from explorer import reproduction
    from explorer.device import device, make_repeatable

    names = options.networks.split(",") if options.networks else reproduction.NETWORKS
    networks = [network(name) for name in names]
    seeds, source = numbers("seeds", options.seeds), sources.resolve(options.data)
    store, steps = Store(catalogue().store.folder), reproduction.PAPER.steps
    whole = reproduction.configs(networks, seeds, source.name, steps)
    for config in whole:
        check_training(config)
    if options.budget_minutes:
        steps = reproduction.begun(store.runs(), networks, seeds, source.name) or 0
        if not steps:
            make_repeatable(device().threads)
            images = sources.load(options.data)
            steps = reproduction.affordable_steps(whole, images, device(), 60 * options.budget_minutes)
    say(f"{len(whole)} runs of {steps:,} iterations (the paper's: {reproduction.PAPER.steps:,})")
    configs = reproduction.configs(networks, seeds, source.name, steps)
    runs = store.submit(configs, str(source.path) if source.path else source.kind)
    files = _followed(store, configs, runs, options.out)
    result(options, {"steps": steps, "runs": runs, "files": files})


def _followed(store: Store, configs: list[RunConfig], runs: list[str], out: Path) -> list[str]:
    """Pack each run as it ends; Ctrl-C lets them rest, and the same command goes on with them."""
    files: dict[str, str] = {}
    try:
        for run, record in follow(store, LocalEngine(store), runs):
            if isinstance(record, EvaluationRecord):
                label = f"{store.run(run).label:<22} step {record.step:>6}"
                say(f"{label}  training {percent(record.training_error)}  test {percent(record.test_error)}")
                files |= _packed(store, configs, out, files)
    except KeyboardInterrupt:
        store.pause(runs)
        raise
    files |= _packed(store, configs, out, files)
    for run in runs:
        if (ended := store.run(run)).state != DONE:
            raise ExplorerError(f"{ended.label} ({run}) {ended.state}: {ended.message or 'before its end'}")
    return [files[run] for run in runs]


def _packed(store: Store, configs: list[RunConfig], out: Path, files: dict[str, str]) -> dict[str, str]:
    """Write the recordings of the runs that have ended since."""
    packed = {}
    for config in configs:
        if config.run not in files and store.run(config.run).state == DONE:
            out.mkdir(parents=True, exist_ok=True)
            path = out / _file_name(config)
            replace(path, recordings.export(catalogue(), config.run))
            packed[config.run] = str(path)
    return packed


def _file_name(config: RunConfig) -> str:
    """What it is: images, recipe with its iterations, network, seed."""
    data, name = config.data.partition("@")[0], config.network.name.replace(":", "-")
    return f"{data}-paper-{config.training.steps}-{name}-seed-{config.seed}{recordings.SUFFIX}"

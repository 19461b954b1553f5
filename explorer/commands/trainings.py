"""train and race: runs on this machine, followed to their end."""

import re
import threading
import time
from argparse import Namespace
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from explorer import files
from explorer.commands.output import catalogue, command, finite, line, numbers, percent, result, say
from explorer.config import RunConfig, network, override
from explorer.data import sources
from explorer.data.sources import Source
from explorer.engines.local import LocalEngine
from explorer.engines.ray import Cluster, RayEngine, known
from explorer.errors import ExplorerError, RequestError
from explorer.home import home
from explorer.jobs import Engine, follow
from explorer.measurement.sweep import points
from explorer.measurement.verdict import Gap, verdict
from explorer.memory import check_training
from explorer.race import Race
from explorer.recipes import Recipe, recipe
from explorer.records import EvaluationRecord, Provenance, Record, record_to_dict
from explorer.runs import ACTIVE, DONE, LOCAL, RAY, Store
from explorer.sweep import Sweep, factor, packed


def add_to(subparsers: Any) -> None:
    """Declare the commands of this group."""
    parser = command(subparsers, "train", train, "train networks")
    parser.add_argument("networks", nargs="+", metavar="NETWORK", help="plain-20, resnet-56:shortcut=B,width=32")
    parser.add_argument(
        "--start", default="", metavar="RUN", help="from this trained shallower network, identity layers added"
    )
    _add_recipe(parser)
    parser = command(subparsers, "race", race, "train a shallow and a deep network of each family, and judge")
    parser.add_argument("--families", default="plain,resnet")
    parser.add_argument("--depths", help="two or more, as 20,56 (default: the recipe's pair)")
    _add_recipe(parser)
    parser = command(subparsers, "sweep", sweep, "train networks with one factor at several values")
    parser.add_argument("factor", help="train_images, dropout, bn, depth, learning_rate …")
    parser.add_argument("--networks", default="plain-20,resnet-20", help="names, separated by spaces or commas")
    parser.add_argument("--values", help="as 250,1000,5000 (default: the factor's usual ones)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the results there, as assets/sweeps has them")
    _add_recipe(parser)


def _add_recipe(parser: Any) -> None:
    parser.add_argument("--recipe", default="brief", help="brief, longer, paper or a .toml file")
    parser.add_argument("--data", default=sources.usual(), help="auto, cifar10, shapes or a path")
    parser.add_argument("--seeds", default="0", help="as 0,1,2")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one value of the recipe"
    )
    parser.add_argument("--engine", default=LOCAL, choices=(LOCAL, RAY), help="where it runs (docs/ray.md)")
    parser.add_argument("--address", metavar="HOST:PORT", help="the head of the Ray cluster (default: the last one)")
    parser.add_argument("--cpus", type=finite, default=1.0, help="of the cluster, for each training")
    parser.add_argument("--gpus", type=finite, default=0.0, help="of the cluster, for each training, as 0.5")


def train(options: Namespace) -> None:
    """Train the networks named; the same config is not trained twice."""
    names, seeds, chosen = options.networks, numbers("seeds", options.seeds), _recipe(options)
    networks = [network(name) for name in names]
    source = sources.resolve(options.data)
    start = catalogue().run(options.start).run if options.start else ""
    configs = [
        RunConfig(config, chosen.training_for(config), source.name, seed, start=start)
        for seed in seeds
        for config in networks
    ]
    result(options, {"runs": _results(options, configs, source)[0]})


def race(options: Namespace) -> None:
    """Train a race and judge it."""
    source, chosen = sources.resolve(options.data), _recipe(options)
    depths = numbers("depths", options.depths) if options.depths else chosen.depths
    if len(depths) < 2:
        raise RequestError(f"a race needs two depths or more, as in --depths 20,56; there is only {depths[0]}")
    families = tuple(part.strip() for part in options.families.split(",") if part.strip())
    entered = Race(chosen, source.name, depths, families, numbers("seeds", options.seeds))
    began = time.perf_counter()
    runs, finals = _results(options, entered.runs, source)
    gaps = verdict(finals)
    values = {
        "runs": runs,
        "seconds": time.perf_counter() - began,
        "verdict": {family: _gap_values(gap) for family, gap in gaps.items()},
    }
    result(options, values, _told(runs, gaps))


def sweep(options: Namespace) -> None:
    """Train a sweep; how the networks' errors depend on the factor."""
    if options.out and not options.out.parent.is_dir():
        raise RequestError(f"--out {options.out}: there is no folder {options.out.parent}")
    source, chosen, varied = sources.resolve(options.data), _recipe(options), factor(options.factor)
    values = tuple(map(varied.read, options.values.split(","))) if options.values else varied.values
    networks = tuple(map(network, re.split(r"[,\s]+(?=[a-z]+-\d)", options.networks.strip())))
    entered = Sweep(chosen, source.name, networks, varied, values, numbers("seeds", options.seeds))
    finals, failed = _trained(options, entered.runs, source)
    if not finals:
        raise ExplorerError(f"no training of this sweep reached its end: {failed[0][1]}")
    if options.out:
        made = [run.provenance for run in map(Store(home()).run, (config.run for config, _ in finals))]
        files.replace(options.out, packed(finals, failed, _together(made)).encode())
    found = {one.name: [asdict(point) for point in measured] for one, measured in points(finals, varied.name).items()}
    broken = [{"network": one.network.name, "seed": one.seed, "run": one.run, "message": why} for one, why in failed]
    rows = [_row(*one) for one in finals]
    result(options, {"factor": varied.name, "points": found, "runs": rows, "failed": broken})


def _together(made: list[Provenance | None]) -> Provenance:
    """Of several runs made alike: that of the last, with the seconds of all."""
    known = sorted((one for one in made if one), key=lambda one: one.date)
    return replace(known[-1], seconds=sum(one.seconds for one in known))


def _results(
    options: Namespace, configs: list[RunConfig], source: Source
) -> tuple[list[dict[str, Any]], list[tuple[RunConfig, EvaluationRecord]]]:
    """Train what is not in the store yet; a row for each run, and its config with its final evaluation."""
    finals, failed = _trained(options, configs, source)
    for config, message in failed:
        raise ExplorerError(f"{config.network.name} · seed {config.seed} ({config.run}) {message}")
    return [_row(*one) for one in finals], finals


def _row(config: RunConfig, last: EvaluationRecord) -> dict[str, Any]:
    return {
        "network": config.network.name,
        "seed": config.seed,
        "training_error": last.training_error,
        "test_error": last.test_error,
        "run": config.run,
    }


def _trained(
    options: Namespace, configs: list[RunConfig], source: Source
) -> tuple[list[tuple[RunConfig, EvaluationRecord]], list[tuple[RunConfig, str]]]:
    """Train what is not in the store yet: final evaluations, and what became of those that did not reach their end."""
    store = Store(home())
    engine = _engine(options, store)
    for config in configs if options.engine == LOCAL else []:  # a cluster's nodes have memory of their own
        check_training(config)
    location = str(source.path) if source.path else source.kind
    runs = store.submit(configs, location, options.engine)
    if options.engine == LOCAL and any(store.run(run).state in ACTIVE for run in runs):
        threading.Thread(target=_read_ahead, args=(location, options.json), daemon=True).start()
    finals: dict[str, EvaluationRecord] = {}
    try:
        for run, record in follow(store, engine, runs):
            _report(options, store, run, record)
            if isinstance(record, EvaluationRecord):
                finals[run] = record
    except KeyboardInterrupt:
        store.stop(runs)
        raise
    ended = {run: store.run(run) for run in runs}
    failed = [
        (config, f"{ended[config.run].state}: {ended[config.run].message or 'before its end'}")
        for config in configs
        if ended[config.run].state != DONE
    ]
    return [(config, finals[config.run]) for config in configs if ended[config.run].state == DONE], failed


def _read_ahead(location: str, quiet: bool) -> None:
    """Decode the images while workers import what they need: they wait for them, and would do so themselves."""
    first = cache(lambda: None if quiet else say("reading all images, which is done once"))
    with suppress(ExplorerError):  # a worker will say why its run failed
        sources.load(location, lambda _share: first())


def _engine(options: Namespace, store: Store) -> Engine:
    """Where the runs will run; refused if that cannot be."""
    if options.engine == LOCAL:
        if options.address:
            raise RequestError("--address names a Ray cluster: add --engine ray")
        return LocalEngine(store)
    cluster = Cluster(options.address, options.cpus, options.gpus) if options.address else known(store)
    if cluster is None:
        raise RequestError("--engine ray needs --address HOST:PORT, as 127.0.0.1:6379")
    engine = RayEngine(store, cluster)
    engine.check()
    return engine


def _report(options: Namespace, store: Store, run: str, record: Record) -> None:
    if options.json:
        line({"run": run, **record_to_dict(record)})
    elif isinstance(record, EvaluationRecord):
        label = store.run(run).label
        errors = f"training error {percent(record.training_error)}  test error {percent(record.test_error)}"
        say(f"{label:<24} step {record.step:>6}  {errors}")


def _gap_values(gap: Gap) -> dict[str, Any]:
    values = asdict(gap)
    low, high = values.pop("low"), values.pop("high")
    return {"gap": values.pop("gap"), "ci95": [low, high], "degrades": gap.degrades, **values}


def _told(runs: list[dict[str, Any]], gaps: dict[str, Gap]) -> str:
    rows = [
        f"{row['network']:<24} seed {row['seed']}  training error {percent(row['training_error']):>7}"
        f"  test error {percent(row['test_error']):>7}  run {row['run']}"
        for row in runs
    ]
    told = [
        f"{gap.family}: {gap.shallow} to {gap.deep} layers, training error {percent(gap.shallow_error)} to "
        f"{percent(gap.deep_error)} ({100 * gap.gap:+.1f} points, 95 % interval {100 * gap.low:+.1f} to "
        f"{100 * gap.high:+.1f}, {gap.seeds} seed{'s' if gap.seeds > 1 else ''})"
        for gap in gaps.values()
    ]
    return "\n".join(rows + told)


def _recipe(options: Namespace) -> Recipe:
    chosen = recipe(options.recipe)
    return replace(chosen, training=override(chosen.training, options.set)) if options.set else chosen

"""measure lesions, constructed, surface, paths, branches: what takes longer than a click, record by record."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from explorer import provenance, recordings
from explorer.commands.output import at_least, catalogue, command, finite, line, numbers, percent, result, say
from explorer.data import sources
from explorer.errors import RequestError
from explorer.records import BranchesRecord, LesionRecord, PlaneRecord
from explorer.runs import Run

if TYPE_CHECKING:
    from torch import nn

    from explorer.data.image_set import ImageSet
    from explorer.measurement.subject import Subject
    from explorer.measurement.surface import Plane

_MOST_CHANGES = 1000  # blocks taken away or exchanged at once; no network has so many
_IMAGES, _SURFACE_IMAGES, _PATH_IMAGES, _BRANCH_IMAGES = 1000, 500, 16, 250


def add_to(measures: Any) -> None:
    """Declare these measurements."""
    parser = _of_a_run(
        measures, "lesions", lesions, _IMAGES, "the error without each block, without several, with blocks exchanged"
    )
    parser.add_argument("--remove", metavar="K,K,…", help="take so many blocks away at once, drawn by chance")
    parser.add_argument("--swap", metavar="K,K,…", help="exchange two blocks of a stage so many times")
    parser.add_argument("--without", metavar="BLOCK,…", help="take just these away, as stage1.2,stage3.0")
    parser.add_argument("--draws", type=int, default=10, help="for each of K")
    parser.add_argument("--step", type=int, help="of the weights kept on the way (default: at the end)")
    parser = _of_a_run(
        measures, "constructed", constructed, _IMAGES, "a trained network with identity layers added: its errors"
    )
    parser.add_argument("--depth", type=int, required=True, help="of the deeper network")
    parser = _of_a_run(measures, "surface", surface, _SURFACE_IMAGES, "the loss on a plane through the trained weights")
    parser.add_argument("--plane", choices=("random", "path"), default="random", help="what spans it")
    parser.add_argument("--size", type=int, default=25, help="points along each axis, an odd number")
    parser.add_argument("--reach", type=finite, default=1.0, help="of a random plane, in norms of the filters")
    parser.add_argument("--seed", type=int, default=0, help="of the random directions")
    _of_a_run(measures, "branches", branches, _BRANCH_IMAGES, "the size of F(x) beside that of x, over training")
    parser = _of_a_run(measures, "paths", paths, _PATH_IMAGES, "the gradient by the length of the paths it takes")
    parser.add_argument("--draws", type=int, default=30, help="paths of each length")


def _of_a_run(measures: Any, name: str, run: Any, images: int, help: str) -> Any:
    parser = command(measures, name, run, help)
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--data", help="where the images are (default: the run's)")
    parser.add_argument("--images", type=int, default=images, help="so many of them")
    return parser


def lesions(options: Namespace) -> None:
    """One record a batch or draw, all that is known by then; then the whole."""
    run, images = _run_and_images(options)
    subject = _test_subject(run, images, options)
    for found in _lesions(subject, options):
        _tell(found, options)
    lines = [f"{'none':<20} {percent(found.whole)}"]
    lines += [f"{_blocks(lesion.blocks, options):<20} {percent(lesion.error)}" for lesion in found.lesions]
    shown = {"images": found.images, "whole": found.whole, "lesions": [asdict(lesion) for lesion in found.lesions]}
    result(options, {**_made(run, images), **shown}, "\n".join(lines))


def constructed(options: Namespace) -> None:
    """Training and test error of the shallow network and of the deeper one made of it, and how far logits differ."""
    from explorer.checkpoints import Trained
    from explorer.data.prepared import prepared
    from explorer.evaluation import error, logits
    from explorer.measurement.constructed import deepened

    run, images = _run_and_images(options)
    trained = recordings.trained(catalogue(), run.run)
    deep = Trained(deepened(trained.network, options.depth), trained.normalization)
    data = prepared(images, run.config.training)
    few = max(1, options.images)
    found: dict[str, Any] = {"shallow": {}, "deep": {}}
    furthest = 0.0
    for split in ("train", "test"):
        pixels, labels = getattr(data, f"{split}_images")[:few], getattr(data, f"{split}_labels")[:few]
        both = [logits(one.network, pixels, one.normalization) for one in (trained, deep)]
        furthest = max(furthest, float((both[0] - both[1]).abs().max()))
        for name, values in zip(found, both, strict=True):
            found[name] |= {f"{split}_error": error(values, labels), f"{split}_images": len(labels)}
        say(f"{split}: {percent(found['shallow'][f'{split}_error'])}, {percent(found['deep'][f'{split}_error'])}")
    made = {**_made(run, images), "constructed": deep.network.config.name}
    result(options, {**made, **found, "largest_logit_difference": furthest})


def surface(options: Namespace) -> None:
    """The plane and the path of training, then the grid's points, coarse to fine."""
    from explorer.device import device
    from explorer.measurement import surface as measurement

    run, images = _run_and_images(options)
    subject, precision = _train_subject(run, images, options), device().precision("auto")
    plane, grid = _plane_and_grid(run, subject, options)
    _tell(grid, options)
    for found in measurement.surface(subject, plane, grid, precision):
        _tell(found, options)
    loss, wrong = measurement.loss_and_error(subject, plane.centre, precision)
    made = _made(run, images, precision)
    shown = {"plane": options.plane, "size": options.size, "images": len(subject.images), "loss": loss, "error": wrong}
    result(options, {**made, **shown, "within": grid.within})


def branches(options: Namespace) -> None:
    """A record for the untrained network and for each step that weights were kept of."""
    from explorer.measurement.branches import block_branches

    run, images = _run_and_images(options)
    subject = _train_subject(run, images, options)
    pixels, lines, moments = subject.normalization(subject.images), [], _moments(run)
    for done, (step, network) in enumerate(moments.items(), 1):
        measured = block_branches(network, pixels, own_statistics=step == 0)
        _tell(BranchesRecord(done - 1, done, len(moments), step, measured), options)
        lines += [f"{step:>7,}  {one.block:<12} {one.residual / one.shortcut:.3f}" for one in measured]
    result(options, {**_made(run, images), "images": len(pixels), "steps": list(moments)}, "\n".join(lines))


def paths(options: Namespace) -> None:
    """How much of the gradient comes back along paths of each length."""
    from explorer.measurement.paths import path_lengths

    run, images = _run_and_images(options)
    subject = _train_subject(run, images, options)
    for found in path_lengths(subject, max(1, options.draws)):
        _tell(found, options)
    lines = [
        f"{one.length:>3} blocks  {one.paths:8.2%} of the paths  {one.share:8.2%} of the gradient"
        for one in found.lengths
    ]
    lengths = [asdict(one) for one in found.lengths]
    shown = {"images": len(subject.images), "draws": options.draws, "lengths": lengths}
    result(options, {**_made(run, images), **shown}, "\n".join(lines))


def _tell(found: Any, options: Namespace) -> None:
    if options.json:
        line({"kind": found.kind, **asdict(found)})
    say(f"{found.done:,} of {found.of:,}")


def _made(run: Run, images: "ImageSet", precision: str = "fp32") -> dict[str, Any]:
    """What every result says: of what, and where the numbers come from."""
    here = provenance.made_here(images.description, precision)
    return {"run": run.run, "network": run.config.network.name, "provenance": asdict(here)}


def _run_and_images(options: Namespace) -> tuple[Run, "ImageSet"]:
    run = catalogue().run(options.run)
    return run, sources.load(options.data or run.location or sources.usual())


def _lesions(subject: "Subject", options: Namespace) -> Iterator[LesionRecord]:
    from explorer.measurement import lesions as measurement

    at_least("--draws", options.draws, 1)
    counts = numbers("remove", options.remove or options.swap) if options.remove or options.swap else (1,)
    for count in counts:
        at_least("--remove" if options.remove else "--swap", count, 0, _MOST_CHANGES)
    if options.remove:
        return measurement.several(subject, counts, options.draws)
    if options.swap:
        return measurement.swapped(subject, counts, options.draws)
    if options.without:
        return measurement.chosen(subject, options.without.split(","))
    return measurement.single(subject)


def _plane_and_grid(run: Run, subject: "Subject", options: Namespace) -> tuple["Plane", PlaneRecord]:
    from explorer.measurement import surface as measurement

    if options.size < 3 or options.size % 2 == 0:
        raise RequestError(f"--size {options.size}: an odd number of points, 3 or more, has one in the middle")
    centre = measurement.parameters(subject.network)
    states = {step: measurement.parameters(network) for step, network in _moments(run).items()}
    if options.plane == "path":
        before = [state for step, state in states.items() if step < run.config.training.steps]
        if len(before) < 2:
            raise RequestError(f"{run.label} kept no weights on its way: take --plane random")
        plane = measurement.path_plane(centre, before)
    else:
        plane = measurement.random_plane(centre, options.seed)
    path, within = measurement.path(plane, states)
    if options.plane == "path":
        x, y = (measurement.around_path(options.size, values) for values in ([p.x for p in path], [p.y for p in path]))
    else:
        x = y = measurement.around(options.size, options.reach)
    return plane, PlaneRecord(0, 0, options.size**2, x, y, tuple(path), within)


def _moments(run: Run) -> dict[int, "nn.Module"]:
    """The network by the number of steps it was trained for: at the start, where weights were kept, at the end."""
    from explorer.networks.build import build

    runs, config = catalogue(), run.config
    start = {} if config.weights else {0: build(config.network, config.seed)}
    kept = {step: recordings.trained(runs, run.run, step).network for step in runs.kept_steps(run.run)}
    return {**start, **kept, config.training.steps: recordings.trained(runs, run.run).network}


def _test_subject(run: Run, images: "ImageSet", options: Namespace) -> "Subject":
    from explorer.data.augmentation import prepare
    from explorer.measurement.subject import Subject

    trained = recordings.trained(catalogue(), run.run, options.step)
    few = max(1, options.images)
    pixels = prepare(images.test_images[:few], run.config.training.image_size)
    return Subject(_blocky(trained.network), pixels, images.test_labels[:few], trained.normalization)


def _train_subject(run: Run, images: "ImageSet", options: Namespace) -> "Subject":
    from explorer.data.prepared import prepared
    from explorer.measurement.subject import Subject

    trained, few = recordings.trained(catalogue(), run.run), max(1, options.images)
    data = prepared(images, run.config.training)
    return Subject(_blocky(trained.network), data.train_images[:few], data.train_labels[:few], trained.normalization)


def _blocky(network: Any) -> Any:
    """The network, if it is made of blocks. Raises RequestError for others."""
    from explorer.networks.residual import ResidualNetwork

    if not isinstance(network, ResidualNetwork):
        raise RequestError(f"{network.config.name} is not made of blocks")
    return network


def _blocks(blocks: tuple[str, ...], options: Namespace) -> str:
    return "exchanged" if options.swap else " ".join(blocks)

"""measure multigrid, encodings: what the paper's section 2 names as its relatives, measured."""

from argparse import Namespace
from dataclasses import asdict
from statistics import mean
from typing import Any

from explorer import provenance
from explorer.commands.output import command, line, numbers, result, say
from explorer.data import sources
from explorer.errors import RequestError

_MOST_WORDS = 1024
_SMOOTHERS, _STARTS = ("jacobi", "gauss-seidel"), ("both", "smooth", "rough")
_METHODS = {"bag": "bag of words", "vlad": "VLAD", "fisher": "Fisher vector"}


def add_to(measures: Any) -> None:
    """Declare these commands among those of `measure`."""
    parser = command(measures, "multigrid", multigrid, "relaxation against V-cycles on the 1-D Poisson problem")
    parser.add_argument("--intervals", type=int, default=256, help="of the finest grid, a power of two")
    parser.add_argument("--sweeps", type=int, default=1, help="relaxations on each grid, down and up")
    parser.add_argument("--smoother", choices=_SMOOTHERS, default=_SMOOTHERS[0])
    parser.add_argument("--start", choices=_STARTS, default=_STARTS[0], help="what the error begins with")
    parser = command(measures, "encodings", encodings, "VLAD and Fisher vectors against a bag of words, in retrieval")
    parser.add_argument("--data", default=sources.usual(), help="where the images are")
    parser.add_argument("--images", type=int, default=2000, help="test images in each draw")
    parser.add_argument("--draws", type=int, default=5, help="sets of images, each with dictionaries of its own")
    parser.add_argument("--words", default="4,8,16,32,64,128", metavar="K,K,…", help="in a dictionary")


def multigrid(options: Namespace) -> None:
    """Residual and error after each V-cycle, and after as much relaxation."""
    from explorer.measurement import multigrid as measurement

    if not 1 <= options.sweeps <= 20:
        raise RequestError(f"--sweeps {options.sweeps}: write 1 to 20")
    found = measurement.multigrid(options.intervals, options.sweeps, options.smoother, options.start)
    shown, lines = {}, []
    for name, course in (("cycles", found.cycles), ("relaxation", found.relaxation)):
        pair = measurement.slowest_pair(course.errors)
        norms = {"work": course.work, "residuals": course.residuals, "errors": course.errors}
        shown[name] = {**norms, "residual_pair": measurement.slowest_pair(course.residuals), "error_pair": pair}
        lines += [
            f"{name:<10} {work:7.1f} sweeps: residual {residual:.2e}, error {error:.2e}"
            for work, residual, error in zip(course.work, course.residuals, course.errors, strict=True)
        ]
        lines.append(f"{name:<10} two V-cycles' work divides the error by {pair:.3g} at least")
    asked = {name: getattr(options, name) for name in ("intervals", "sweeps", "smoother", "start")}
    result(options, {**asked, **shown}, "\n".join(lines))


def encodings(options: Namespace) -> None:
    """One record a dictionary; then the means over the draws."""
    from explorer.measurement import encodings as measurement

    counts = numbers("words", options.words)
    if options.images < 20 or options.draws < 1 or min(counts) < 2:
        raise RequestError("write at least --images 20, --draws 1 and dictionaries of 2 words")
    if max(counts) > _MOST_WORDS:
        raise RequestError(f"--words {max(counts)}: write {_MOST_WORDS} at most")
    images = sources.load(options.data)
    pixels, labels = (images.train_images.numpy(), images.test_images.numpy()), images.test_labels.numpy()
    records = []
    for record in measurement.compare(*pixels, labels, images=options.images, draws=options.draws, words=counts):
        records.append(record)
        if options.json:
            line({"kind": record.kind, **asdict(record)})
        say(f"{record.done} of {record.of}")
    lines = []
    for count in counts:
        scores = [score for record in records if record.words == count for score in record.scores]
        for method, name in _METHODS.items():
            precision = mean(score.average_precision for score in scores if score.method == method)
            lines.append(f"{count:>4} words  {name:<14} mean average precision {precision:.4f}")
    made = provenance.computed_here(images.description, "fp32", ("numpy", "scikit-learn"))
    asked = {"images": options.images, "draws": options.draws, "words": counts, "patch": measurement.PATCH}
    known = {"chance": measurement.chance(labels), "components": measurement.COMPONENTS}
    result(options, {"provenance": asdict(made), **asked, **known}, "\n".join(lines))

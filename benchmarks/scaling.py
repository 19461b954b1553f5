"""Do more nodes train more? Thirty queued runs on Ray clusters of one, two and four nodes, one CPU a node.

python -m benchmarks.scaling [--runs 30] [--nodes 1,2,1,2,4] [--steps 600] [--json]

All nodes are on this machine, so that more of them than it has cores share these: there the efficiency must fall. The
time is that from the first record to the end of the last run; starting processes is told beside it.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.command import parsed
from benchmarks.nodes import ray_nodes
from explorer.config import NetworkConfig, RunConfig, TrainingConfig
from explorer.data import sources
from explorer.engines.ray import Cluster, RayEngine
from explorer.jobs import follow
from explorer.runs import DONE, RAY, Store


def measured(nodes: int, runs: int, steps: int) -> dict[str, Any]:
    """One cluster, its runs trained once: seconds, and what of the machine other work took meanwhile."""
    training = TrainingConfig(
        steps=steps, batch_size=32, schedule="cosine", image_size=16, train_images=1000, test_images=250,
        clean_images=250, evaluations=1, precision="fp32",
    )  # fmt: skip
    data = sources.resolve("shapes").name
    configs = [RunConfig(NetworkConfig(depth=8, width=8), training, data, seed) for seed in range(runs)]
    with tempfile.TemporaryDirectory() as folder, ray_nodes(Path(folder), nodes) as cluster:
        store = Store(Path(folder) / "home")
        asked, first = time.perf_counter(), 0.0
        names = store.submit(configs, "shapes", RAY)
        for _ in follow(store, RayEngine(store, Cluster(cluster.address)), names):
            first = first or time.perf_counter()
        ended = time.perf_counter()
        assert all(store.run(name).state == DONE for name in names)
    return {"nodes": nodes, "start_seconds": first - asked, "seconds": ended - first, "load": psutil.getloadavg()[0]}


def main() -> None:
    """Measure each size, in turns; efficiency is against as many times one node, the mean of its turns."""
    options = parsed(
        __doc__,
        runs={"type": int, "default": 30},
        nodes={"default": "1,2,1,2,4"},
        steps={"type": int, "default": 600},
    )
    rows = []
    for nodes in options.nodes.split(","):
        rows.append(measured(int(nodes), options.runs, options.steps))
        sys.stderr.write(f"{rows[-1]}\n")
    single = [row["seconds"] * row["nodes"] for row in rows if row["nodes"] == rows[0]["nodes"]]
    for row in rows:
        row["efficiency"] = statistics.mean(single) / (row["seconds"] * row["nodes"])
    if options.json:
        print(json.dumps({"cores": psutil.cpu_count(), "runs": options.runs, "clusters": rows}))
    else:
        for row in rows:
            print("  ".join(f"{name} {value:.2f}" for name, value in row.items()))


if __name__ == "__main__":
    main()

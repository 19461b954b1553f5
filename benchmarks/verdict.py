"""Does the brief race say what the paper says, and how long does it take? Each in a store of its own.

python -m benchmarks.verdict [--data D] [--seeds 0,1,2,3] [--recipe brief] [--json]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks.command import parsed

PLAIN_GAP, RESIDUAL_GAP = 0.15, 0.01
"""What counts as right: the deep plain network at least 15 points worse, the deep residual one at most 1 point."""


def race(data: str, recipe: str, seed: int) -> dict[str, Any]:
    """The result of one race, run by the command line in a store of its own."""
    with tempfile.TemporaryDirectory() as home:
        command = ["race", "--data", data, "--recipe", recipe, "--seeds", str(seed), "--json"]
        ended = subprocess.run(
            [sys.executable, "-m", "explorer", *command],
            env={**os.environ, "EXPLORER_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return result


def is_right(result: dict[str, Any]) -> bool:
    """Whether plain degrades and residual does not."""
    gaps = {family: gap["gap"] for family, gap in result["verdict"].items()}
    return bool(gaps["plain"] >= PLAIN_GAP and gaps["resnet"] <= RESIDUAL_GAP)


def main() -> None:
    """Race once a seed and print the median time and how many were right."""
    options = parsed(__doc__, data={"default": "auto"}, recipe={"default": "brief"}, seeds={"default": "0,1,2,3"})
    rows = []
    for seed in (int(part) for part in options.seeds.split(",")):
        result = race(options.data, options.recipe, seed)
        gaps = {family: round(gap["gap"], 4) for family, gap in result["verdict"].items()}
        rows.append({"seed": seed, "seconds": result["seconds"], "gaps": gaps, "right": is_right(result)})
        sys.stderr.write(f"seed {seed}: {result['seconds']:.1f} s, {gaps}\n")
    summary = {
        "seconds": statistics.median(row["seconds"] for row in rows),
        "right": sum(row["right"] for row in rows),
        "of": len(rows),
        "seeds": rows,
    }
    print(json.dumps(summary) if options.json else json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()

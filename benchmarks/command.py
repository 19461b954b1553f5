"""What all benchmarks share: their arguments, and on what they ran."""

import argparse
import sys
from typing import Any

from explorer.device import device, versions


def parsed(doc: str | None, **arguments: dict[str, Any]) -> argparse.Namespace:
    """The options of a benchmark, --json with them; says on stderr which machine and versions the figures are of."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    for name, options in arguments.items():
        parser.add_argument(f"--{name}", **options)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sys.stderr.write(f"{device().description}, {', '.join(f'{name} {found}' for name, found in versions().items())}\n")
    return options

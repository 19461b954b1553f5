"""What README and docs quote, measured. Each module is a command: python -m benchmarks.NAME --json."""

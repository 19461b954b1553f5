"""Residual Explorer: plain and residual networks, built, trained and looked into, live.

Imports run downwards, and `tests/test_imports.py` holds the table:

    app, pages -> ui -> {jobs, engines, plots, attribution, measurement, recordings, runs}
               -> {race, training, weights, checkpoints} -> {networks, data, device} -> {config, records}
"""

"""What the engine costs, measured beside raw clients and other tools: `python benchmarks/run.py`."""

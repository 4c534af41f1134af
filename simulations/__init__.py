"""Error rates of the gate and of common procedures, simulated. `python -m simulations --help`."""

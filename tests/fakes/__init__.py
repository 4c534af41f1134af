"""Stand-ins for other people's servers: real HTTP on this machine, with state and with faults on demand."""

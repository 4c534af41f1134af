"""Other tools at the same work, each in the environment of its own that `make bench-peers` makes."""

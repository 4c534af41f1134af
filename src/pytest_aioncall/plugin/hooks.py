"""Options and hooks, nothing else."""

"""A long run through the real stack against a server that fails: nothing grows, nothing is lost."""

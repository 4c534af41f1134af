"""EDGES: one module, one outside thing. They never import each other (the registry excepted)."""

"""DOOR 2: the pytest plugin; sole importer of pytest."""

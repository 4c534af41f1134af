"""VERBS: load, decide, save, send. The only place where decisions meet adapters."""

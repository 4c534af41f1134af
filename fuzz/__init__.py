"""Coverage-guided fuzzing of everything that reads a file or an answer: `make fuzz`, `python -m fuzz`.

    oracle.py     what has to hold for every input: our own errors, one line each, bounded time and memory
    readers.py    the targets: one function of bytes a reader, each with what it writes and reads back
    mutations.py  changes that keep the structure of YAML and JSON, so that inputs get past the parser
    child.py      one target under atheris; findings are told apart, written down, and the search goes on
    __main__.py   all targets side by side, and the table

`seeds/<target>/` are the first inputs, `found/<target>/` what once broke a promise. Both are run by
`tests/property/test_fuzz_targets.py` on every Python, without atheris.
"""

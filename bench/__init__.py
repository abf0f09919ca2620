"""One module per number we promise. `python -m bench.NAME [--quick] [--json FILE]` prints a table and, last, one JSON line."""

"""Who is measured by `bench.queue`: each a program `make|client|work URL [LOG GO SILENCE NAME]` ."""

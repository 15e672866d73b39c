"""One state of a guest a file: each module here has a `SCENARIO`, found by listing this package."""

"""How fast this package is beside vcrpy, cassetter and plain httpx: ``python -m benchmarks``."""

"""How fast this package is compared with vcrpy, cassetter and plain httpx: ``python -m benchmarks``."""

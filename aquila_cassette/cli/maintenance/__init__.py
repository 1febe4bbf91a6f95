"""A shelf of cassettes looked after: what is wrong with one, who uses it, what can be put right.

Each kind of fault has its own check, a function from what is known to findings. Nothing here prints
or runs a test; what pytest collected comes in as a `Census`.
"""

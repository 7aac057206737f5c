"""Other tools that make vectors of pictures, each in an environment and a process of its own.

`python -m benchmarks.peers install [NAME …]` builds the environments; `available_peers` is for benchmarks.
"""

"""The local recipes beside other methods: quality on the same splits, scale, latency. `python -m benchmarks.recommender`."""

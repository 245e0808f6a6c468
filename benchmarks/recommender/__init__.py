"""The local recipes beside other methods: quality on the same splits, scale and latency."""

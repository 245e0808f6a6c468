"""What is measured, against what, and the recorded results: `make bench NAME=x` runs one module."""

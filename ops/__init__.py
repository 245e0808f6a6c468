"""The operator's command line: `python -m ops <command>`; the same on AWS and on localcloud."""

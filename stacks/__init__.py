"""One stack a file; what is reused is in constructs."""

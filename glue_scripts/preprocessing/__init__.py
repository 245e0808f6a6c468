"""What the preprocessing jobs share: settings, reading, mapping, deduplication, statistics, exporting."""

"""What process, disk and devices offer: atomic files, checksums, caches, signals, YAML."""

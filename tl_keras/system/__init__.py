"""Services of process, disk and devices: atomic files, checksums, caches, signals, YAML."""

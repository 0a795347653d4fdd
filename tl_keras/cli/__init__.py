"""Running a verb: errors to exit codes, and the formats that verbs write."""

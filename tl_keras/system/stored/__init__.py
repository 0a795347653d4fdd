"""Files that others may have made, which are read only if they take no more memory than they are worth."""

"""Equal examples that must not all stay: in several splits (leakage), or with conflicting labels."""

import numpy as np

# Duplicates in several splits stay in the last of these splits only.
_PRIORITY = ("train", "validation", "test")


def group_rows(keys, rows):
    """Groups rows by their keys.

    Args:
        keys: iterable of a hashable key for each row.
        rows: iterable of the numbers of the rows.

    Returns:
        List of lists of at least two rows that share a key.
    """
    groups = {}
    for key, row in zip(keys, rows, strict=True):
        groups.setdefault(key, []).append(row)
    return [rows for rows in groups.values() if len(rows) > 1]


def refuse_duplicates(records, groups, thing):
    """Finds duplicates that must not all stay.

    Args:
        records: `Records` of n examples without undecided splits.
        groups: iterable of lists of rows whose examples are equal.
        thing: the kind of example for the reasons, such as "image".

    Returns:
        reasons: {row: reason} of the examples to refuse. Duplicates in several splits stay in the test split only,
            otherwise in the validation split; duplicates with different labels are all refused.
        num_harmless: number of examples with a duplicate in their own split and with the same label.
    """
    reasons, num_harmless = {}, 0
    for rows in groups:
        conflicts = _other_labels(records, rows)
        best = max(rows, key=lambda row: _PRIORITY.index(records.splits[row]))
        for row in rows:
            if conflicts[row] is not None:
                reasons[row] = f"the same {thing} as {records.names[conflicts[row]]}, which has another label"
            elif records.splits[row] != records.splits[best]:
                reasons[row] = f"the same {thing} as {records.names[best]} in the {records.splits[best]} split"
        num_harmless += max(0, sum(row not in reasons for row in rows) - 1)
    return reasons, num_harmless


def _other_labels(records, rows):
    """Returns {row: the first of `rows` whose label differs from its own, None if all labels agree}."""
    # Each row is compared with the first only, since a group may hold all rows of a table.
    first = rows[0]
    differs = {row: bool(np.any(records.labels[row] != records.labels[first])) for row in rows}
    other = next((row for row in rows if differs[row]), None)
    return {row: first if differs[row] else other for row in rows}

"""Long lists and long messages in one sentence."""


def first_of(items, limit=20):
    """Joins the first `limit` items with "; " and says how many more there are."""
    items = list(items)
    more = f"; and {len(items) - limit} more" if len(items) > limit else ""
    return "; ".join(str(item) for item in items[:limit]) + more


def one_line(error):
    """Returns the message of an exception without its line breaks and without a full stop, for a longer sentence."""
    return " ".join(str(error).split()).removesuffix(".")

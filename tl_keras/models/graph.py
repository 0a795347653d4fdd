"""Order of the calls in a functional model."""


def ordered_nodes(model):
    """Lists the nodes of a functional model in topological order.

    Args:
        model: functional `keras.Model`.

    Returns:
        List of nodes, one for each call of an operation.
    """
    by_depth = model._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]

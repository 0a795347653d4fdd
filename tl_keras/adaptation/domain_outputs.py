"""What a classifier makes of a batch of one domain: the two things that methods of adaptation look at."""

from typing import Any, NamedTuple


class DomainOutputs(NamedTuple):
    """Outputs for n examples of a domain."""

    features: Any
    """Tensor (n, channels): what the head takes, before its dropout."""
    probabilities: Any
    """Tensor (n, num_classes), each row of sum 1."""

"""Quantiles of Student's t distribution."""

from tl_keras import evaluation

FEW_DRAWS = (12.706, 4.303, 3.182, 2.776)
"""Quantiles for intervals of 95 %, with 1 to 4 degrees of freedom."""


def student_quantile(freedom):
    """Returns the quantile of Student's t distribution for intervals of 95 %.

    From 5 degrees of freedom on by its expansion about the normal distribution (Abramowitz and Stegun 1964, 26.7.5),
    which is within a hundredth.

    Args:
        freedom: degrees of freedom, at least 1.
    """
    if freedom <= len(FEW_DRAWS):
        return FEW_DRAWS[freedom - 1]
    z = evaluation.Z
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)

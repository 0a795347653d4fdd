import numpy as np

from tl_keras.adaptation import DomainOutputs


def test_it_unpacks_as_a_model_with_two_outputs_gives_it():
    features, probabilities = np.zeros((2, 5)), np.ones((2, 3)) / 3
    outputs = DomainOutputs(*[features, probabilities])
    assert outputs.features is features and outputs.probabilities is probabilities

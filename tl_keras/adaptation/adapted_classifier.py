"""Training of a classifier on a labelled source domain and an unlabelled target domain, in a plain `fit`."""

import keras

from tl_keras.adaptation.domain_fitting import DomainOutputs
from tl_keras.transfer import features_before_head


class AdaptedClassifier(keras.Model):
    """Trains a classifier on labelled source examples and unlabelled target examples.

    `fit` minimizes the compiled loss on the source plus `weight` times the loss of a method of adaptation. The model
    shares all layers with the classifier, which is used, saved and loaded as before.

        adapted = AdaptedClassifier(classifier, DeepCoral(), weight=1.0)
        adapted.compile("adam", "categorical_crossentropy")
        adapted.fit(dataset of ({"source": images, "target": other images}, labels of the source))

    Args:
        classifier: functional `keras.Model` that outputs class probabilities and whose last block is the head, or the
            part of one after a cut.
        method: layer from two `DomainOutputs`, source and target, to a scalar loss: `DomainAdversarial`, `DeepCoral`,
            `MaximumMeanDiscrepancy`, `MinimumClassConfusion`, `SelfTraining` or your own.
        weight: weight of the method's loss, 0 or more, default 1.0.

    Raises:
        InputError: the input of the classifier's head is not a vector.
    """

    def __init__(self, classifier, method, weight=1.0):
        # With autocast, half precision would round the pixels before the classifier's preprocessing.
        super().__init__(name=f"{classifier.name}_{method.name}", autocast=False)
        self.classifier = classifier
        self.method = method
        self.weight = weight
        self.network = keras.Model(classifier.input, [features_before_head(classifier), classifier.output])
        # Create the method's own weights now, for optimizers and checkpoints.
        outputs = DomainOutputs(*self.network.outputs)
        method(outputs, outputs)
        self.built = True

    def call(self, inputs, training=False):
        """Predicts the source and adds the method's loss; inputs of a single domain are only predicted.

        Args:
            inputs: {"source": ..., "target": ...}, classifier inputs of n and m examples; or just classifier inputs.
            training: as in Keras.

        Returns:
            float32 (n, num_classes), the probabilities of the source.
        """
        if not (isinstance(inputs, dict) and inputs.keys() == {"source", "target"}):
            return self.classifier(inputs, training=training)
        source, target = (
            DomainOutputs(*self.network(inputs[name], training=training)) for name in ("source", "target")
        )
        self.add_loss(self.weight * self.method(source, target, training=training))
        return source.probabilities

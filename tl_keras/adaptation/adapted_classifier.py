"""A classifier that learns from labels of one domain and from bare examples of another, in a plain `fit`."""

import keras

from tl_keras.adaptation.domain_outputs import DomainOutputs
from tl_keras.transfer import features_before_head


class AdaptedClassifier(keras.Model):
    """Trains a classifier on labelled source examples and, by a method of adaptation, on unlabelled target examples.

    What `fit` minimizes is the loss that it is compiled with, of the source, plus `weight` times that of the method. It
    shares all its layers with the classifier, which afterwards is used, saved and opened as before.

        adapted = AdaptedClassifier(classifier, DeepCoral(), weight=1.0)
        adapted.compile("adam", "categorical_crossentropy")
        adapted.fit(dataset of ({"source": images, "target": other images}, labels of the source))

    Args:
        classifier: functional `keras.Model` to class probabilities, whose last block is the head; also the part of one
            behind a cut.
        method: layer that takes two `DomainOutputs`, source and target, and gives a scalar: `DomainAdversarial`,
            `DeepCoral`, `MaximumMeanDiscrepancy`, `MinimumClassConfusion`, `SelfTraining` or one of your own.
        weight: how much its loss counts, 0 or more.

    Raises:
        InputError: the classifier has no features before a head.
    """

    def __init__(self, classifier, method, weight=1.0):
        # In half precision Keras would round the pixels before the classifier's preprocessing sees them.
        super().__init__(name=f"{classifier.name}_{method.name}", autocast=False)
        self.classifier = classifier
        self.method = method
        self.weight = weight
        self.network = keras.Model(classifier.input, [features_before_head(classifier), classifier.output])
        # What the method learns itself exists from now on, for optimizers and checkpoints.
        outputs = DomainOutputs(*self.network.outputs)
        method(outputs, outputs)
        self.built = True

    def call(self, inputs, training=False):
        """Predicts the source and adds the method's loss; of examples of one domain it just predicts.

        Args:
            inputs: {"source": ..., "target": ...}, each what the classifier takes, of n and of m examples; or what it
                takes itself.
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

"""Base class of the detectors: functional models with their own losses and decoding."""

import keras
from keras import ops


class Detector(keras.Model):
    """Functional Keras model of named blocks that trains with a plain `fit` on padded boxes and predicts detections.

    `fit` takes images, float32 or uint8 (batch, image_size, image_size, 3), RGB, 0 to 255, and targets, a dictionary of
    `boxes`, float32 (batch, max_boxes, 4), in `bounding_box_format`, and `labels`, int32 (batch, max_boxes), 0 to
    num_classes - 1, or -1 for padding. An image may have no boxes. `compile` needs an optimizer, but no loss and no
    metrics. `predict` returns the result of `decode`.

    Subclasses implement `image_losses` and set `decoder_inputs`, `loss_names` and `class_layers`.

    Args:
        inputs: Keras tensor of the images.
        outputs: dictionary of Keras tensors, the inputs of the losses and of the decoder.
        decoder: `Decoder`.
        num_classes: number of classes.
        name: name of the model.

    Attributes:
        class_names: tuple of the names of the classes, or None.
        weights_report: `WeightsReport` of the loaded weights, or None.
    """

    decoder_inputs = ()
    """Names of the outputs that the decoder takes."""
    loss_names = ()
    """Names of the losses; each is also a metric."""
    class_layers = ()
    """Names of the layers whose last axis has the class as its fastest-varying part, so that weights can be loaded
    class by class."""

    def __init__(self, inputs, outputs, *, decoder, num_classes, name):
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.num_classes = num_classes
        self.class_names = None
        self.weights_report = None
        self.decoder = decoder
        self._trackers = [keras.metrics.Mean(name=loss) for loss in self.loss_names]
        self._mean = MeanOverImages()

    @property
    def image_size(self):
        """Height and width of the images in pixels."""
        return self.decoder.image_size

    @property
    def bounding_box_format(self):
        """Format of the boxes in targets and detections."""
        return self.decoder.bounding_box_format

    def image_losses(self, boxes, labels, outputs, training):
        """Computes the losses of each image.

        Args:
            boxes: float32 (batch, max_boxes, 4), xyxy in pixels.
            labels: int32 (batch, max_boxes), -1 for padding.
            outputs: outputs of the model.
            training: True draws new random samples at each call; False always draws the same.

        Returns:
            Dictionary from name to float32 (batch,).
        """
        raise NotImplementedError

    def decode(self, outputs):
        """Decodes the outputs of the model to detections.

        Args:
            outputs: dictionary of tensors or Keras tensors.

        Returns:
            Dictionary of `boxes`, float32 (batch, max_detections, 4), `scores`, float32 (batch, max_detections), and
            `labels`, int32 (batch, max_detections), best first, padded with -1.
        """
        return self.decoder(*[outputs[name] for name in self.decoder_inputs])

    def inference_model(self):
        """Builds the model from images to detections, for saving and exporting.

        Returns:
            Functional `keras.Model` that shares the variables; its outputs are those of `decode`.
        """
        return keras.Model(self.input, self.decode(self.output), name=self.name)

    def suffix_model(self, cut):
        """Builds the detector from an inner tensor on, which shares its variables.

        Args:
            cut: Keras tensor that all later layers depend on.

        Returns:
            Model of the same class with the input `cut`.
        """
        # Keras 3.15.1 loses an output of a model that is also its input and an inner tensor of another model.
        identity = keras.layers.Identity(name="features")
        outputs = keras.tree.map_structure(lambda tensor: identity(tensor) if tensor is cut else tensor, self.output)
        suffix = type(self)(cut, outputs, **self._parts())
        suffix.class_names, suffix.weights_report = self.class_names, self.weights_report
        return suffix

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Computes the sum of the losses; called by `fit` and `evaluate`."""
        boxes, labels = y["boxes"], ops.cast(y["labels"], "int32")
        if self.bounding_box_format != "xyxy":
            boxes = keras.utils.bounding_boxes.convert_format(
                boxes, self.bounding_box_format, "xyxy", self.image_size, self.image_size
            )
        losses = self.image_losses(ops.cast(boxes, "float32"), labels, y_pred, training)
        for tracker in self._trackers:
            tracker.update_state(losses[tracker.name])
        total = sum(losses.values())
        return self._mean(ops.zeros_like(total), total, sample_weight)

    def predict_step(self, data):
        """Decodes the outputs for a batch; called by `predict`."""
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.decode(self(images, training=False))

    def _parts(self):
        """Returns the keyword arguments of the constructor."""
        return {"decoder": self.decoder, "num_classes": self.num_classes, "name": self.name}


class MeanOverImages(keras.losses.Loss):
    """Averages the losses of the images, passed as predictions; Keras divides by replicas only inside a `Loss`."""

    def call(self, y_true, y_pred):
        """Returns float32 (batch,), the predictions."""
        return y_pred

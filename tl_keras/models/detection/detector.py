"""What all detectors share: they are plain functional models that know their own losses and their own decoding."""

import keras
from keras import ops


class Detector(keras.Model):
    """A functional Keras model of named blocks that trains with a plain `fit` on padded boxes and predicts detections.

    `fit` takes images, float32 or uint8 (batch, image_size, image_size, 3), RGB, 0 to 255, and targets, a dictionary of
    `boxes`, float32 (batch, max_boxes, 4), in `bounding_box_format`, and `labels`, int32 (batch, max_boxes), 0 to
    num_classes - 1, or -1 for padding. An image may have no box. `compile` needs an optimizer, and takes no loss and no
    metrics. `predict` returns what `decode` does.

    A subclass writes `image_losses` and `suffix_model`, and gives a decoder.

    Args:
        inputs: Keras tensor of the images.
        outputs: dictionary of Keras tensors: all that the losses and the decoder need.
        decoder: `Decoder`.
        decoder_inputs: list of the names of the outputs that it takes.
        num_classes: number of classes.
        loss_names: list of the names of the losses; each becomes a metric of that name.
        class_layers: list of the names of the layers in whose last axis the class is the fastest part, so that classes
            that another model knows too can be taken over from it.
        name: name of the model.

    Attributes:
        class_layers: tuple, see above.
        class_names: tuple of the names of the classes, or None.
        weights_report: `WeightsReport` of the file that the weights came from, or None.
    """

    def __init__(self, inputs, outputs, *, decoder, decoder_inputs, num_classes, loss_names, class_layers, name):
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.num_classes = num_classes
        self.class_layers = tuple(class_layers)
        self.class_names = None
        self.weights_report = None
        self.decoder = decoder
        self._decoder_inputs = list(decoder_inputs)
        self._trackers = [keras.metrics.Mean(name=loss) for loss in loss_names]
        self._mean = MeanOverImages()

    @property
    def image_size(self):
        """Height and width of the images in pixels."""
        return self.decoder.image_size

    @property
    def bounding_box_format(self):
        """Format of the boxes, in the targets and in the detections."""
        return self.decoder.bounding_box_format

    def image_losses(self, boxes, labels, outputs, training):
        """Computes the losses of each image.

        Args:
            boxes: float32 (batch, max_boxes, 4), xyxy in pixels.
            labels: int32 (batch, max_boxes), -1 for padding.
            outputs: what the model gave for the images.
            training: whether random samples are drawn anew; else they are the same each time.

        Returns:
            Dictionary from name to float32 (batch,).
        """
        raise NotImplementedError

    def decode(self, outputs):
        """Turns what the model gives into detections.

        Args:
            outputs: dictionary of tensors or Keras tensors.

        Returns:
            Dictionary of `boxes`, float32 (batch, max_detections, 4), `scores`, float32 (batch, max_detections), and
            `labels`, int32 (batch, max_detections), best first, -1 for padding.
        """
        return self.decoder(*[outputs[name] for name in self._decoder_inputs])

    def inference_model(self):
        """Makes the model that takes images and gives detections, to be exported.

        Returns:
            Functional `keras.Model` that shares the variables; see `decode` for its outputs.
        """
        return keras.Model(self.input, self.decode(self.output), name=self.name)

    def suffix_model(self, cut):
        """Makes the detector that begins at a tensor inside this one, and shares its variables.

        Args:
            cut: Keras tensor that all later layers depend on.

        Returns:
            A model of the same class. Its input is `cut`.
        """
        raise NotImplementedError

    def suffix_outputs(self, cut):
        """Lists the outputs of the model that begins at a cut, see `suffix_model`.

        Args:
            cut: Keras tensor inside the model.

        Returns:
            `output`, where the cut itself is one passed through a layer that changes nothing: Keras 3.15.1 loses an
            output of a functional model that is an inner tensor of another one and an input.
        """
        same = keras.layers.Identity(name="features")
        return keras.tree.map_structure(lambda tensor: same(tensor) if tensor is cut else tensor, self.output)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Sums the losses; `fit` and `evaluate` call it."""
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
        """Decodes what the model gives; `predict` calls it."""
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.decode(self(images, training=False))

    def _alike(self, other):
        other.class_names, other.weights_report = self.class_names, self.weights_report
        return other


class MeanOverImages(keras.losses.Loss):
    """Averages the losses of the images, given as predictions: Keras divides by replicas only inside of a `Loss`."""

    def call(self, y_true, y_pred):
        """Returns float32 (batch,), the predictions."""
        return y_pred

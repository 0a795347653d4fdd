"""Runs Keras's own `fit` on the cluster of TF_CONFIG."""

import keras
import numpy as np
import tensorflow as tf

with tf.distribute.MultiWorkerMirroredStrategy().scope():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
model.fit(np.zeros((4, 4)), np.zeros((4, 1)), verbose=0)

"""The page of `python -m tl_keras.demo`: inputs, answers of runs and examples of their data."""

from .example_digests import example_digests as example_digests
from .feature_store import FeatureStore as FeatureStore

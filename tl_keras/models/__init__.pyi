from .building import build_backbone as build_backbone
from .classifiers import build_image_classifier as build_image_classifier
from .compiling import compile_classifier as compile_classifier
from .saving import open_model as open_model
from .saving import save_model as save_model
from .weight_files import find_weight_file as find_weight_file
from .weight_files import read_class_names as read_class_names
from .weights import load_weights as load_weights

from .explanations import ImageExplanation as ImageExplanation
from .explanations import TextExplanation as TextExplanation
from .explanations import explain_images as explain_images
from .explanations import explain_text as explain_text
from .files import shade_words as shade_words
from .files import write_explanations as write_explanations
from .heat_maps import overlay as overlay

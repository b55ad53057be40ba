"""The models that later lessons build on: two for images, two for text and their baseline, the sampler, and weights."""

from utils.models.images import cnn, dense
from utils.models.ngram import NGram
from utils.models.pretrained import card, pretrained
from utils.models.text import Cache, CharLSTM, Transformer, generate

__all__ = ["Cache", "CharLSTM", "NGram", "Transformer", "card", "cnn", "dense", "generate", "pretrained"]

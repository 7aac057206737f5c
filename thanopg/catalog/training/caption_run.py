"""The commands' work: train the captioner beside a catalogue model, measure captions of unseen pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from thanopg.catalog.captions import caption_of, names_right
from thanopg.catalog.phrases import LANGUAGES
from thanopg.catalog.product import Product
from thanopg.catalog.training.captions import CaptionPlan, CaptionTraining, Vocabulary, make_config
from thanopg.catalog.training.data import CatalogueDataset, Pixels, drawn_dataset
from thanopg.catalog.training.features import Features, as_maps, last_maps, seen_features
from thanopg.catalog.training.measure import read_pictures
from thanopg.catalog.training.model import scaled
from thanopg.catalog.training.run import TRAINING_SEED, VALIDATION_SEED, say, test_pictures, write_info
from thanopg.catalog.training.train import augment
from thanopg.errors import NotSupported
from thanopg.models.caption_decoder import CaptionDecoder
from thanopg.models.captioner import TowerCaptioner, write
from thanopg.models.checkpoint import open_checkpoint
from thanopg.models.embedder import Captioner
from thanopg.models.load import load_embedder

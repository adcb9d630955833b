"""Writes what MiniLM makes of texts, as one NumPy array. Arguments: file, texts file."""

import json
import sys
from pathlib import Path

import numpy as np
from docstrings_whole import TOKENS_PER_TEXT_MAX

from minilm import MiniLM

texts = json.loads(Path(sys.argv[2]).read_text())
with Path(sys.argv[1]).open("wb") as file:  # np.save would add an extension to a name.
    model = MiniLM(tokens_per_text_max=TOKENS_PER_TEXT_MAX)
    np.save(file, model({"text": np.array(texts, dtype=object)})["embedding"])

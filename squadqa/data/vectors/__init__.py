"""Rows of pretrained word vectors for the distinct word forms of a text, from sources side by side.

A source is named by a text:

- `glove-6b-50d`: GloVe 6B, 50 values a word, from the installed package;
- a path: GloVe text (no header), word2vec text (header; both also .gz), word2vec binary, or a
  gensim KeyedVectors saved as .kv;
- `gensim:NAME`: a name of gensim's downloader, fetched once if it is not on disk;
- `spacy:PIPELINE`: the vector table of an installed spaCy pipeline, or of one in a folder.

A form's row depends on the source and on the form alone, never on the other forms asked for, and is
the source's own: nothing is scaled, as the usual tables already agree (a value's root mean square
is 0.64 in GloVe 6B 50d and 0.44 in en_core_web_md).

`lookup` reads the sources once for the forms of a whole data set; a `VectorStore` keeps them open
for texts that come one after another.
"""

from squadqa.data.vectors.sources import DEFAULT_SOURCE, fingerprint
from squadqa.data.vectors.store import VectorStore
from squadqa.data.vectors.table import VectorTable, lookup

__all__ = ["DEFAULT_SOURCE", "VectorStore", "VectorTable", "fingerprint", "lookup"]

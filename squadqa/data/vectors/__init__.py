"""Pretrained word vectors for the distinct word forms of a text, from one or more sources.

A source is named by a string:

- `glove-6b-50d`: GloVe 6B, 50 values per word, from the installed package;
- a path: GloVe text (no header), word2vec text (header; both also .gz), or word2vec binary;
- `gensim:NAME`: a name of gensim's downloader, downloaded once if it is not on disk;
- `spacy:PIPELINE`: the vector table of an installed spaCy pipeline, or of one in a folder.

All of them are parsed as numbers. Pickles, such as gensim's .kv files, could run code and are
refused.

A form's vector depends only on the sources and the form, never on the other forms asked for. The
values are those of the source, without scaling, as the usual tables have similar scales already (a
value's root mean square is 0.64 in GloVe 6B 50d and 0.44 in en_core_web_md).

`lookup` reads the sources once for the forms of a whole data set; a `VectorStore` keeps them open
for texts that arrive one after another.
"""

from squadqa.data.vectors.sources import DEFAULT_SOURCE, fingerprint
from squadqa.data.vectors.store import VectorStore
from squadqa.data.vectors.table import VectorTable, lookup

__all__ = ["DEFAULT_SOURCE", "VectorStore", "VectorTable", "fingerprint", "lookup"]

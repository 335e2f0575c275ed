"""Packs: prepared data in one file, for machines without spaCy, vectors and network.

A pack is a zip archive, which `numpy.load` opens too. For each part, such as train, it holds:

- `PART/questions.json`: the paragraphs and questions in SQuAD's format;
- `PART/token_*.npy`: where the tokens lie in the texts; word forms follow from that;
- `PART/*.npy`, `PART/lemmas.json`: the annotation of each token;
- `PART/vectors/N.npy`: the row of each word form in the N-th source of word vectors;

and `vectors/N/*.npy`, the distinct rows of each source, which the parts share. `manifest.json` says
what was prepared and how, and has the checksum of every entry. Whatever a pack says is checked
before it is used; it may come from anyone.
"""

"""A reader of your own, in one file: GRUs over both texts, and a pointer at each end of the answer.

    python docs/examples/own_reader.py

trains it on the sample, as own_reader.yaml says (about a minute on a quiet CPU), opens the run
again, and asks it a question. A second call finds the run there and only asks.
"""

import sys
from pathlib import Path

import squadqa
from squadqa.batch import Sizes, SpanBatch
from squadqa.cli.main import main as run_command
from squadqa.models import SpanLogits, SpanReader
from squadqa.models.embedder import Embedder
from squadqa.nn.attention import AttentionPooling
from squadqa.nn.masking import mask_logits
from squadqa.nn.pointer import BilinearPointer
from squadqa.nn.rnn import StackedBiRNN


class GRUReader(SpanReader):
    """Letters: B questions of a batch, C context tokens, Q question tokens, D and H widths."""

    def __init__(self, sizes: Sizes, *, hidden_size: int = 64, dropout: float = 0.2) -> None:
        super().__init__(max_span_length=17)  # the longest answer, in tokens
        self.embedder = Embedder(
            sizes, char_cnn=None, embedding_size=96, tuned_words=300, word_in_question=True
        )
        width = self.embedder.output_size
        self.gru = StackedBiRNN(width, hidden_size, num_layers=2, cell="gru", dropout=dropout)
        self.question_pooling = AttentionPooling(2 * hidden_size)
        self.start_pointer = BilinearPointer(2 * hidden_size, 2 * hidden_size)
        self.end_pointer = BilinearPointer(2 * hidden_size, 2 * hidden_size)

    def forward(self, batch: SpanBatch) -> SpanLogits:
        """Score every context token as the answer's first and as its last."""
        context, question = self.embedder(batch)  # (B, C, D), (B, Q, D)
        context = self.gru(context, batch.context_mask)  # (B, C, H)
        question = self.gru(question, batch.question_mask)  # (B, Q, H)
        asked = self.question_pooling(question, batch.question_mask)  # (B, H)
        return SpanLogits(
            start_logits=mask_logits(self.start_pointer(context, asked), batch.context_mask),
            end_logits=mask_logits(self.end_pointer(context, asked), batch.context_mask),
        )


if __name__ == "__main__":
    run_folder = Path("runs/own_reader")
    if not run_folder.exists():
        config = Path(__file__).with_suffix(".yaml")
        line = ["train", "--config", str(config), "--run", str(run_folder), *sys.argv[1:]]
        if code := run_command(line):  # what `squadqa train` runs
            sys.exit(code)
    run = squadqa.load(run_folder, trust=["own_reader"])  # imports this file by its name
    print(run.answer("Ada Brandt built the mill in 1820.", "When did Ada Brandt build the mill?"))

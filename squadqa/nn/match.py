"""The match-LSTM: an LSTM that reads each step of a text with what it attends to in another.

Reference: Wang and Jiang, 2017, Machine Comprehension Using Match-LSTM and Answer Pointer (arXiv
1608.07905), section 2.2; the equations stand in `squadqa.nn.kernels.match_lstm`.

Letters: B batch, C context tokens, Q question tokens, D width of the encodings, H hidden width.
"""

from torch import Tensor, nn

from squadqa.nn.kernels.match_lstm import MatchWeights, match_lstm


class MatchLSTMLayer(nn.Module):
    """An LSTM over the context that at each step attends to the question, by the state it is in.

    Both directions have the same weights, as the paper's count of parameters says.

    Args:
        size: D.
        hidden_size: H.
    """

    def __init__(self, size: int, hidden_size: int) -> None:
        super().__init__()
        self.keys = nn.Linear(size, hidden_size, bias=False)  # W_q
        self.queries = nn.Linear(size, hidden_size)  # W_p, b_p
        self.state_queries = nn.Linear(hidden_size, hidden_size, bias=False)  # W_r
        self.score = nn.Linear(hidden_size, 1, bias=False)  # w
        self.rnn = nn.LSTM(2 * size, hidden_size)
        self.output_size = 2 * hidden_size

    def forward(
        self, context: Tensor, context_mask: Tensor, question: Tensor, question_mask: Tensor
    ) -> Tensor:
        """Match the context with the question.

        Args:
            context: (B, C, D).
            context_mask: (B, C) bool, True on a token.
            question: (B, Q, D).
            question_mask: (B, Q) bool, True on a token.

        Returns:
            (B, C, 2H); what stands on padding means nothing.
        """
        inputs, state, bias, state_bias = self.rnn.parameters()
        weights = MatchWeights(
            keys=self.keys.weight,
            queries=self.queries.weight,
            queries_bias=self.queries.bias,
            state_queries=self.state_queries.weight,
            score=self.score.weight[0],
            inputs=inputs,
            state=state,
            bias=bias + state_bias,
        )
        return match_lstm(context, context_mask, question, question_mask, weights)

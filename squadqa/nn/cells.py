"""Single steps of torch's recurrent cells, also in a form that can be written as ONNX.

Letters: B batch, D width of the input, H width of the state.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from squadqa.nn.kernels.available import is_exporting
from squadqa.nn.kernels.gru import gru_step_plain


def next_gru_state(cell: nn.GRUCell, inputs: Tensor, state: Tensor) -> Tensor:
    """Compute the (B, H) state after (B, D) inputs and a (B, H) state."""
    if not is_exporting():
        return cell(inputs, state)
    projected = F.linear(inputs, cell.weight_ih, cell.bias_ih)  # (B, 3H)
    weight, bias = cell.weight_hh.t()[None], cell.bias_hh[None, None]
    return gru_step_plain(projected[None], state[None], weight, bias).squeeze(0)


def next_lstm_state(
    cell: nn.LSTMCell, inputs: Tensor, state: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Compute the (B, H) state and memory after (B, D) inputs and a (B, H) state and memory."""
    if not is_exporting():
        return cell(inputs, state)
    hidden, memory = state
    gates = F.linear(inputs, cell.weight_ih, cell.bias_ih)  # (B, 4H)
    gates = gates + F.linear(hidden, cell.weight_hh, cell.bias_hh)
    let_in, keep, new, let_out = gates.unflatten(1, (4, cell.hidden_size)).unbind(1)  # (B, H) each
    memory = keep.sigmoid() * memory + let_in.sigmoid() * new.tanh()
    return let_out.sigmoid() * memory.tanh(), memory

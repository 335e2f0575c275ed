import torch

from squadqa.nn.highway import Highway


def test_equals_the_equations() -> None:
    torch.manual_seed(0)
    highway = Highway(3, num_layers=2)
    for parameter in highway.parameters():
        torch.nn.init.normal_(parameter)
    inputs = torch.randn(2, 4, 3)
    outputs = highway(inputs)
    for row in range(2):
        for step in range(4):
            x = inputs[row, step].tolist()
            for transform, gate in zip(highway.transforms, highway.gates, strict=True):
                y = []
                for i in range(3):
                    h, t = transform.bias[i].item(), gate.bias[i].item()
                    for j in range(3):
                        h += transform.weight[i, j].item() * x[j]
                        t += gate.weight[i, j].item() * x[j]
                    open_ = 1 / (1 + torch.tensor(-t).exp().item())
                    y.append(open_ * max(h, 0.0) + (1 - open_) * x[i])
                x = y
            assert outputs[row, step].allclose(torch.tensor(x), atol=1e-5)


def test_carries_more_than_it_transforms_at_first() -> None:
    torch.manual_seed(0)
    x = torch.randn(50, 8)
    assert torch.nn.functional.cosine_similarity(Highway(8)(x), x).min() > 0.5


def test_in_mixed_precision_what_is_carried_keeps_its_own() -> None:
    torch.manual_seed(0)
    highway, x = Highway(4), torch.randn(3, 4)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = highway(x)
    assert mixed.dtype == torch.float32
    assert mixed.allclose(highway(x), atol=0.02)

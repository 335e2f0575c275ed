"""Computations that have a fast form beside their plain one.

Each file holds the same three things:

- a `..._plain` function: the equations in ordinary torch operations, whose gradient autograd
  derives. It is the fallback, and what tests compare the fast form with;
- the fast form, mostly an autograd function whose gradient is written out;
- the function that others call. It takes the fast form where that is supported, else the plain one.

A fast form for GPUs alone, written in Triton, has a file of its own, `..._triton`.

Kernels take and give tensors alone: parameters belong to the modules of `squadqa.nn`.
"""

"""From "what follows these tokens" to whole captions: greedy and beam search over any model's forward.

Captions are short, so every step reads the whole row again; nothing of the model is kept between steps but what the
caller's `Step` holds. Both searches are deterministic, and rows of a batch never see each other.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Step = Callable[[torch.Tensor], torch.Tensor]
"""ids so far, int64 (n, length) → logits float (n, vocabulary) of the next token"""


def greedy(step: Step, starts: torch.Tensor, *, end: int, limit: int) -> list[list[int]]:
    """int64 (n, 1 or more) → for each row the likeliest token again and again, up to `end` or `limit` new ones."""
    ids, given = starts, starts.shape[1]
    done = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(limit):
        following = step(ids).argmax(dim=-1).masked_fill(done, end)
        ids = torch.cat([ids, following[:, None]], dim=1)
        done |= following == end
        if bool(done.all()):
            break
    return [_before(row, end) for row in ids[:, given:].tolist()]


def beam(step: Step, starts: torch.Tensor, *, end: int, limit: int, beams: int) -> list[list[int]]:
    """The row of highest mean log probability among `beams` kept at each step.

    `step` is called with n × beams rows, a picture's own next to each other: repeat what it holds of the pictures with
    `repeat_interleave(beams, dim=0)`.
    """
    count, given = starts.shape
    device = starts.device
    ids = starts.repeat_interleave(beams, dim=0)
    scores = torch.full((count, beams), -torch.inf, device=device)
    scores[:, 0] = 0.0  # all beams are equal at first: one of them goes on
    done = torch.zeros((count, beams), dtype=torch.bool, device=device)
    lengths = torch.zeros((count, beams), device=device)
    offsets = torch.arange(count, device=device)[:, None] * beams
    for _ in range(limit):
        chances = torch.log_softmax(step(ids).float(), dim=-1).view(count, beams, -1)
        vocabulary = chances.shape[-1]
        only_end = torch.full((vocabulary,), -torch.inf, device=device)
        only_end[end] = 0.0  # what has ended stays as it is
        chances = torch.where(done[:, :, None], only_end, chances)
        total = scores[:, :, None] + chances
        longer = (lengths + (~done).float())[:, :, None].clamp(min=1)
        best = (total / longer).view(count, -1).topk(beams, dim=-1).indices
        source, token = best // vocabulary, best % vocabulary
        scores = total.view(count, -1).gather(1, best)
        lengths = lengths.gather(1, source) + (~done.gather(1, source)).float()
        done = done.gather(1, source) | (token == end)
        ids = torch.cat([ids[(offsets + source).view(-1)], token.view(-1, 1)], dim=1)
        if bool(done.all()):
            break
    rows = ids.view(count, beams, -1)[:, 0, given:].tolist()  # topk puts the best first
    return [_before(row, end) for row in rows]


def _before(row: list[int], end: int) -> list[int]:
    return row[: row.index(end)] if end in row else row

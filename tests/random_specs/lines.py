"""Lines of Python over tensors: templates, with `a` and `b` for the values that they take."""

from __future__ import annotations

from nngen.catalog import FUNCTIONS

ANY = (
    "F.relu(a)", "a * 0.5 + 1", "-a", "a / 2", "a ** 2", "1 - a", "a - a.mean()", "a.clamp(-1, 1)",
    "F.dropout(a, p=0.3, training=training)", "F.gelu(a, approximate='tanh')", "F.leaky_relu(a, 0.2)",
    "F.softmax(a, dim=-1)", "F.log_softmax(a, -1)", "a.softmax(1)", "F.normalize(a, dim=-1)",
    "a if training else 2 * a", "a * 2 if not training else a.tanh()", "a.flip(-1)", "a.float()",
    "torch.roll(a, 1, dims=-1)", "a.cumsum(1)", "F.pad(a, (1, 1))", "F.pad(a, [1, 0], value=0.5)",
    "a.mean(dim=-1, keepdim=True)", "a.sum(-1)", "a.amax(dim=1)", "a.std(-1)", "a.var(dim=-1, keepdim=True)",
    "torch.logsumexp(a, dim=1)", "a.unsqueeze(1)", "a.unsqueeze(-1)", "a.flatten(1)", "torch.flatten(a, 1)",
    "a.reshape(a.shape[0], -1)", "a.view(a.size(0), -1)", "a.squeeze(-1)", "a.squeeze(1)", "a[:, 0]", "a[:, -1]",
    "a[:, 1:]", "a[..., :2]", "a[:, None]", "a[:, ::2]", "a.unflatten(1, (2, -1))", "a.unflatten(-1, (-1, 3))",
    "torch.cat([a, a], dim=1)", "torch.cat((a, -a), -1)", "torch.stack((a, a), dim=1)", "a.repeat_interleave(2, dim=1)",
    "a.detach() + a", "torch.where(a > 0, a, 0.1 * a)", "a.masked_fill(a < 0, 0.0)", "a.sort(-1)[0]",
    "a.topk(2, dim=1)[0]", "a.chunk(2, dim=1)[0]", "a.split(1, dim=-1)[0]", "a.tril()", "a.contiguous()", "a.clone()",
    "torch.zeros_like(a) + a", "a + torch.randn_like(a)", "a + torch.ones(a.shape[-1])", "a.abs().sqrt()",
    "torch.einsum('n...i->n...', a)", "torch.lerp(a, -a, 0.3)", "torch.addcmul(a, a, a, value=0.5)",
    "a.new_ones(a.shape[-1]) * a", "a.to(a.dtype)", "a.narrow(1, 0, 1)", "torch.var_mean(a, dim=-1)[1]",
    "a.masked_fill(a < 0, float('-inf')).exp()", "a / math.sqrt(2)", "math.pi * a", "a / math.sqrt(a.shape[-1])",
    "a.to(torch.float)", "a.to(torch.long).float()", "F.relu(a, inplace=True)", "F.dropout(a, 0.2, training, True)",
    "F.leaky_relu(a, 0.2, inplace=True)", "F.elu(a * 1, inplace=True)", "a.clone().mul_(2)", "a.clamp(min=-math.inf, max=1.0)",
    "a.view(a.shape)", "a.view(*a.shape)", "a.reshape(*a.shape[:-1], -1)", "torch.full_like(a, math.pi) * a",
    "a * torch.arange(a.shape[-1], dtype=torch.float)", "torch.where(a > 0, a, -math.inf).softmax(-1)",
    "F.layer_norm(a, (a.shape[-1],))", "F.rms_norm(a, (a.shape[-1],))", "F.gumbel_softmax(a, dim=-1)",
)  # fmt: skip
RANKED = {
    2: ("F.glu(a, dim=1)", "(a @ a.T) @ a", "a.T.T", "torch.outer(a[:, 0], a[0])", "a.t().t()", "F.alpha_dropout(a, 0.2, training)"),
    3: (
        "a.transpose(1, 2)", "a.permute(0, 2, 1)", "torch.transpose(a, 1, -1)", "a.mean(1)", "a[:, 0, :]",
        "F.max_pool1d(a, 2)", "F.avg_pool1d(a, kernel_size=2, stride=1)", "F.adaptive_avg_pool1d(a, 2)", "a @ a.transpose(1, 2)",
        "F.interpolate(a, scale_factor=2)", "torch.bmm(a, a.mT)", "F.scaled_dot_product_attention(a, a, a, is_causal=True)",
        "F.dropout1d(a, 0.2, training=training)", "F.local_response_norm(a, 2)", "F.instance_norm(a)", "F.lp_pool1d(a, 2, 2)",
    ),
    4: (
        "a.flatten(2)", "a.flatten(2).transpose(1, 2)", "a.mean(dim=(2, 3))", "a.mean([-2, -1], keepdim=True)", "a.permute(0, 2, 3, 1)",
        "F.max_pool2d(a, 2)", "F.avg_pool2d(a, (2, 1))", "F.adaptive_avg_pool2d(a, 1)", "F.adaptive_max_pool2d(a, (2, None))",
        "F.interpolate(a, scale_factor=2, mode='bilinear', align_corners=False)", "F.interpolate(a, size=(5, 4))", "F.pad(a, (1, 1, 0, 1))",
        "F.pixel_shuffle(a, 2)", "F.pixel_unshuffle(a, 2)", "F.unfold(a, kernel_size=2)", "F.dropout2d(a, 0.2, training)", "a.transpose(2, 3)",
        "F.channel_shuffle(a, 2)", "a.amax((2, 3))", "F.group_norm(a, 1)", "a[:, :, 0]", "a[:, :, ::2, 1:]", "F.pad(a, (1, 1, 1, 1), mode='reflect')",
    ),
    5: ("a.flatten(3)", "a.mean(dim=(2, 3, 4))", "F.max_pool3d(a, 2)", "F.adaptive_avg_pool3d(a, 1)", "a[:, :, 0]", "a.movedim(1, -1)"),
}  # fmt: skip
JOINS = (
    "a + b", "a * b", "a - 0.5 * b", "torch.maximum(a, b)", "torch.where(a > b, a, b)", "torch.stack([a, b], dim=1)",
    "torch.lerp(a, b, 0.3)", "a * torch.sigmoid(b)", "torch.cat([a, b], dim=1)", "torch.cat((b, a), -1)", "a + b if training else b",
    "torch.add(a, b, alpha=2)", "(a + b) / 2", "torch.hypot(a, b)", "a.addcmul(a, b)",
)  # fmt: skip
MEETINGS = (
    "torch.cat([a.flatten(1), b.flatten(1)], dim=1)", "a + b", "a * b", "torch.cat([a, b], dim=1)", "torch.cat((a, b), dim=-1)",
    "a @ b", "a @ b.transpose(1, 2)", "F.scaled_dot_product_attention(a, b, b)", "a + b.mean()", "a * b.flatten(1).mean(1).mean()",
    "F.bilinear(a, b, torch.ones(2, a.shape[-1], b.shape[-1]))", "torch.cdist(a, b)", "a.flatten(1).sum(1) + b.flatten(1).sum(1)",
    "a + b.unsqueeze(-1)", "a * b[:, :, None, None]",
)  # fmt: skip
PAIRS = (
    ("c, d = a.chunk(2, dim=1)", "e = c * torch.sigmoid(d)"),
    ("c, d = a.chunk(2, dim=-1)", "e = torch.cat((-d, c), dim=-1)"),
    ("c, _ = a.max(dim=-1)", "e = c * 2"),
    ("c, d = a.sort(dim=1)", "e = c + d.float()"),
    ("c = a.mean(dim=-1, keepdim=True)", "e = a - c"),
    ("_, d = a.topk(1, dim=1)", "e = d.float() * a"),
    ("c = F.one_hot(a.argmax(-1), a.shape[-1]).float()", "e = a * c"),
    ("c = a.unbind(1)[0]", "e = c + 1"),
    ("c = a > 0", "e = a * c"),
)
WHOLE = (
    "a.float()",
    "a.to(torch.float)",
    "a / math.sqrt(3)",
    "a + 1.0",
    "F.one_hot(a, 6).float()",
    "a.to(torch.float32) / 6",
)


# Functions of one tensor, as functions and as methods; what gives NaN for most numbers would hide all that follows.
_SAFE = """
    asinh atan cos exp expm1 sigmoid sin sinc tanh exp2 deg2rad erf erfc neg positive abs square ceil floor trunc round
    frac sign nan_to_num real
"""
_BOTH = tuple(
    name for name in _SAFE.split() if f"Tensor.{name}" in FUNCTIONS and f"torch.{name}" in FUNCTIONS
)
_ACTIVATIONS = """
    relu relu6 hardtanh hardsigmoid hardswish elu celu selu leaky_relu silu mish hardshrink softshrink tanhshrink
    softsign logsigmoid softplus tanh sigmoid
"""
ELEMENTWISE = (
    *(f"a.{name}()" for name in _BOTH),
    *(f"torch.{name}(a)" for name in _BOTH),
    *(f"F.{name}(a)" for name in _ACTIVATIONS.split() if f"F.{name}" in FUNCTIONS),
)

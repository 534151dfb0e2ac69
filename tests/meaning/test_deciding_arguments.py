"""Models of all kinds in which arguments decide sizes: their twins and the reading agree, with other arguments, too."""

from __future__ import annotations

import pytest

from nngen import verify

MODELS = {
    "when embedding dim": """
name: M
args: {big: true}
input: {shape: [5], dtype: int64, below: 10}
layers:
  - Embedding as e: {num_embeddings: 10, embedding_dim: 6}
  - Linear as p: 8
    when: big
  - LSTM as lstm: {hidden_size: 3, batch_first: true, bidirectional: true}
    call: y, _ = lstm(p)
  - MultiheadAttention as att: {num_heads: 2, batch_first: true}
    call: z, _ = att(y, y, y)
  - Linear: 2
""",
    "mha after flag": """
name: M
args: {big: true}
input: [5, 4]
layers:
  - Linear as p: 8
    when: big
  - MultiheadAttention as att: {num_heads: 2, batch_first: true}
    call: z, _ = att(p, p, p)
  - LayerNorm: {normalized_shape: "8 if big else 4"}
  - Linear: 2
""",
    "transformer layer after flag": """
name: M
args: {big: false}
input: [5, 4]
layers:
  - Linear as p: 8
    when: big
  - TransformerEncoderLayer as t: {d_model: "8 if big else 4", nhead: 2, dim_feedforward: 6, batch_first: true}
  - Linear: 2
""",
    "pool and conv by flags in block": """
name: M
args: {down: true, act: "'relu'"}
input: [3, 12, 12]
blocks:
  Stage:
    args: {planes: required, pool: false, act: "'gelu'"}
    layers:
      - Conv2d: {out_channels: planes, kernel_size: 3, padding: 1}
      - BatchNorm2d
      - ReLU:
        when: act == 'relu'
      - GELU:
        when: act == 'gelu'
      - MaxPool2d: 2
        when: pool
layers:
  - Stage as a: {planes: 4, pool: down, act: act}
  - Stage as b: {planes: 6, pool: true}
  - Stage as c: {planes: 6, pool: not down, act: act}
  - Flatten
  - Linear: 3
loss: CrossEntropyLoss
""",
    "training condition": """
name: M
args: {noise: true}
input: [4]
layers:
  - Linear as a: 6
  - Dropout: 0.5
    when: training and noise
  - Linear as b: 6
    when: noise
  - y = a + b
  - Linear as c: 2
""",
    "otherwise none": """
name: M
args: {skip: true}
input: [4]
layers:
  - Linear as a: 6
    when: skip
    otherwise: none
  - Linear as b: 6
    from: x
  - y = a + b if skip else b
  - Linear as c: 2
""",
    "count of blocks with attention": """
name: M
args: {depth: 2, dim: 8, heads: 2}
input: [5, dim]
blocks:
  Enc:
    args: {heads: required, mlp: null}
    let: {hidden: 4 * in_features if mlp is None else mlp}
    layers:
      - LayerNorm as n: in_features
      - MultiheadAttention as att: {num_heads: heads, batch_first: true}
        call: z, _ = att(n, n, n)
      - y = x + z
      - Linear as up: hidden
      - GELU
      - Linear as down: in_features
      - out = y + down
layers:
  - Enc as enc: {heads: heads}
    repeat: depth
  - Enc as last: {heads: heads, mlp: 6}
  - Linear: 2
""",
    "grow with second input in loop": """
name: M
args: {K: 2}
inputs: {a: [2, 6], b: [3, 6]}
blocks:
  G:
    inputs: [all, x]
    layers:
      - Conv1d as c: {out_channels: 2, kernel_size: 1}
        from: x
      - BatchNorm1d as n:
        from: all
      - y = torch.cat([n, c], 1)
layers:
  - G as g: {}
    from: [a, b]
    repeat: K
  - Conv1d as last: {out_channels: 1, kernel_size: 1}
""",
    "shrinking linear by const": """
name: M
args: {K: 2}
input: [20]
blocks:
  D: {layers: ["y = x[:, 3:]"]}
layers:
  - D as d:
    repeat: K
  - Linear: 2
""",
    "loop then flag": """
name: M
args: {K: 2, deep: true}
input: [3]
blocks:
  D: {layers: ["y = torch.cat([x, x[:, :2]], 1)"]}
layers:
  - D as d:
    repeat: K
  - Linear as a: 7
    when: deep
  - Linear as b: 2
""",
    "flag under loop": """
name: M
args: {K: 2, deep: true}
input: [3]
blocks:
  D:
    args: {deep: required}
    layers:
      - Linear as a: 3
      - y = torch.cat([x, a], 1) if deep else x + a
  E:
    layers:
      - Linear as a: 5
layers:
  - E as e:
    repeat: K
  - Linear as b: 3
  - D as d: deep
  - Linear as c: 2
""",
    "nested loops": """
name: M
args: {K: 2, L: 3}
input: [3]
blocks:
  In: {layers: ["y = torch.cat([x, x[:, :1]], 1)"]}
  Out:
    args: {L: required}
    layers:
      - In as i1:
        repeat: L
      - Linear as fc: in_features + L
layers:
  - Out as o: L
    repeat: K
  - Linear: 2
""",
    "sum of two second inputs": """
name: M
inputs: {a: [3, 6], b: [4, 6], c: [5, 6]}
blocks:
  J:
    inputs: [x, y, z]
    layers:
      - s = torch.cat([y, z, y], 1)
      - GroupNorm as g: {num_groups: 1}
      - Conv1d as p: {out_channels: in_channels, kernel_size: 1}
      - o = x + p
layers:
  - J as j: {}
    from: [a, b, c]
  - J as k: {}
    from: [b, c, c]
outputs: j.sum() + k.sum()
""",
    "gru bidirectional from 2nd": """
name: M
args: {h: 3}
inputs: {a: [6, 2], b: [6, 4]}
blocks:
  J:
    args: {h: required}
    inputs: [x, z]
    layers:
      - GRU as g: {hidden_size: h, batch_first: true}
        call: o, _ = g(z)
      - Linear as p: in_features
      - y = x + p
layers:
  - J as j: h
    from: [a, b]
  - J as k: {h: 2 * h}
    from: [b, a]
outputs: j.sum() + k.sum()
""",
    "param and buffer of 2nd": """
name: M
inputs: {a: [6, 2], b: [6, 4]}
blocks:
  J:
    inputs: [x, z]
    let: {w: z_features * 2}
    layers:
      - Parameter as p: {shape: [z_features], init: ones_}
      - Buffer as bu: {value: torch.arange(z_features) * 1.0}
      - y = z * p + bu
      - Linear as l: w
      - Linear as m: z_features
        when: z_features > in_features
      - out = m.sum(2) + x.sum(2)
layers:
  - J as j: {}
    from: [a, b]
  - J as k: {}
    from: [b, a]
outputs: j + k
""",
    "lists by flags": """
name: M
args: {wide: true}
input: [2, 8, 8]
layers:
  - Conv2d: {out_channels: 3, kernel_size: "[1, 3] if wide else [3, 1]", padding: "[0, 1] if wide else [1, 0]"}
  - MaxPool2d: {kernel_size: "[2, 1] if wide else [1, 2]"}
  - Flatten
  - Linear: 2
""",
    "sequential block with flag sizes": """
name: M
args: {wide: true}
input: [4]
blocks:
  MLP:
    args: {w: required, n: 2}
    Sequential:
      - Linear: w
      - ReLU
      - Linear: w + n
layers:
  - MLP as a: {w: "6 if wide else 3"}
  - MLP as b: {w: "6 if wide else 3", n: 1}
  - Linear: 2
""",
    "init rule with sizes": """
name: M
args: {wide: true, std: 0.1}
input: [4]
blocks:
  B:
    args: {w: required}
    layers: [{Linear as fc: w}, {Tanh: {}, when: w > 4}]
layers:
  - B as a: {w: "6 if wide else 3"}
  - B as b: {w: 5}
  - Linear as c: 2
init:
  Linear.weight: {normal_: {std: std}}
  Linear.bias: zeros_
""",
    "ternary in block args none chain": """
name: M
args: {mid: null, n: 3}
input: [4]
blocks:
  B:
    args: {mid: null, k: 2}
    let: {w: mid or k * 2}
    layers:
      - Linear as fc: w
      - Linear as fc2: mid
        when: mid is not None
  C:
    args: {mid: null}
    layers:
      - B as b: {mid: mid}
      - B as c: {mid: mid or 3, k: 5}
layers:
  - C as p: {mid: mid}
  - C as q: {mid: mid or n}
  - C as r
  - Linear: 2
""",
    "float args": """
name: M
args: {mult: 0.5, drop: 0.0, round8: true}
input: [3, 8, 8]
let: {c: "max(8, int(mult * 32 + 4) // 8 * 8) if round8 else int(mult * 32)"}
layers:
  - Conv2d: {out_channels: c, kernel_size: 3}
  - BatchNorm2d
  - Dropout: drop
    when: drop > 0
  - Conv2d as d: {out_channels: 2 * c, kernel_size: 1, groups: c}
  - AdaptiveAvgPool2d: 1
  - Flatten
  - Linear: 2
""",
    "identity conv transposes": """
name: M
args: {up: true}
input: [3, 4, 4, 4]
layers:
  - ConvTranspose3d as u: {out_channels: 5, kernel_size: 2, stride: 2}
    when: up
  - InstanceNorm3d: {affine: true}
  - Conv3d: {out_channels: 2, kernel_size: 3}
  - Flatten
  - Linear: 2
""",
    "bilinear both": """
name: M
args: {deep: true}
inputs: {a: [4], b: [3]}
layers:
  - Linear as p: 6
    from: a
    when: deep
  - Linear as q: 5
    from: b
    when: not deep
  - Bilinear as bi: 2
    from: [p, q]
""",
    "when on size of input": """
name: M
args: {w: 6}
input: [w]
blocks:
  P:
    args: {planes: required}
    layers:
      - Linear as proj: planes
        when: in_features != planes
      - LayerNorm as n: planes
layers:
  - P as a: 4
  - P as b: 4
  - P as c: w
  - P as d: 6
  - Linear: 2
""",
    "moduleList call flags": """
name: M
args: {K: 2, gated: true}
input: [4]
blocks:
  B:
    args: {gated: false}
    layers:
      - Linear as a: "2 * in_features if gated else in_features"
      - u, v = a.chunk(2, 1) if gated else (a, a)
      - y = u * torch.sigmoid(v)
layers:
  - B as b: {gated: gated}
    repeat: K
  - Linear: 2
""",
    "tuple output block": """
name: M
args: {deep: true}
input: [4]
blocks:
  B:
    args: {deep: required}
    layers:
      - Linear as a: 6
        when: deep
      - Linear as b: 3
    outputs: a, b
layers:
  - B as b: deep
    call: p, q = b(x)
  - y = torch.cat([p, q], 1)
  - Linear: 2
""",
    "model list arg": """
name: M
args: {dims: [4, 6, 8], last: null}
input: [3]
layers:
  - Linear as l${i}: dims[i]
    repeat: 3
  - Linear as e: last or dims[2] // 2
  - Linear: 2
""",
    "repeat by flag": """
name: M
args: {deep: true}
input: [3, 6]
blocks:
  G: {layers: [{Conv1d as c: {out_channels: 2, kernel_size: 1}}, "y = torch.cat([x, c], 1)"]}
layers:
  - G as g:
    repeat: 3 if deep else 1
  - Conv1d: {out_channels: 2, kernel_size: 1}
""",
    "count decides condition": """
name: M
args: {K: 2}
input: [6]
blocks:
  B: {layers: [{Linear as a: 6}, ReLU]}
layers:
  - B as b:
    repeat: K
  - Linear as e: 9
    when: K > 2
  - Linear: 2
""",
    "first flag by place": """
name: M
args: {K: 3, w: 5}
input: [4]
blocks:
  B:
    args: {w: required, first: false}
    layers:
      - Linear as a: w
        when: first
      - Linear as b: w
layers:
  - B as b: {w: w, first: i == 0}
    repeat: K
  - Linear: 2
""",
    "last flag by place": """
name: M
args: {K: 3, w: 5}
input: [5]
blocks:
  B:
    args: {w: required, last: false}
    layers:
      - Linear as a: "2 * w if last else w"
layers:
  - B as b: {w: w, last: i == K - 1}
    repeat: K
  - Linear: 2
""",
    "unet with further inputs": """
name: M
args: {base: 4, bilinear: true}
input: [3, 16, 16]
blocks:
  Conv:
    args: {planes: required}
    layers: [{Conv2d: {out_channels: planes, kernel_size: 3, padding: 1}}, BatchNorm2d, ReLU]
  Up:
    args: {planes: required, bilinear: required}
    inputs: [x, skip]
    layers:
      - ConvTranspose2d as t: {out_channels: in_channels // 2, kernel_size: 2, stride: 2}
        from: x
        when: not bilinear
        otherwise: none
      - Upsample as u: {scale_factor: 2}
        from: x
        when: bilinear
        otherwise: none
      - up = u if bilinear else t
      - both = torch.cat([skip, up], 1)
      - Conv as conv: planes
layers:
  - Conv as a: base
  - MaxPool2d as p: 2
  - Conv as b: 2 * base
  - MaxPool2d as q: 2
  - Conv as c: 4 * base
  - Up as up1: {planes: 2 * base, bilinear: bilinear}
    from: [c, b]
  - Up as up2: {planes: base, bilinear: bilinear}
    from: [up1, a]
  - Conv2d as head: {out_channels: 2, kernel_size: 1}
""",
    "loss on flag classes": """
name: M
args: {binary: true}
input: [4]
layers:
  - Linear: 2 if binary else 5
loss: CrossEntropyLoss
""",
    "given in_features": """
name: M
args: {deep: true}
input: [8]
blocks:
  B: {layers: [{Linear as a: in_features}, {Linear as b: 2 * in_features, when: in_features > 4}]}
layers:
  - Linear as l: 8
    when: deep
  - B as b
  - B as c
  - Linear: 2
""",
    "let lists": """
name: M
args: {big: true, k: 3}
input: [3]
let: {dims: "[8, 6] if big else [4, 5]", more: "[k, 2 * k]"}
layers:
  - Linear as a: dims[0]
  - Linear as b: dims[1]
  - Linear as c: more[1]
  - Linear: 2
""",
    "conditional chain rank": """
name: M
args: {flat: true}
input: [2, 6]
layers:
  - Conv1d: {out_channels: 3, kernel_size: 1}
  - Flatten:
    when: flat
  - ReLU
""",
    "glu flag": """
name: M
args: {g: true}
input: [6]
layers:
  - Linear as a: "16 if g else 8"
  - GLU:
    when: g
  - y = F.normalize(x, dim=-1).sum() + glu1
  - Linear: 2
""",
    "pixelshuffle": """
name: M
args: {r: 2, up: true}
input: [4, 5, 5]
layers:
  - Conv2d: {out_channels: "3 * r * r if up else 3", kernel_size: 3, padding: 1}
  - PixelShuffle as ps: r
    when: up
  - Flatten
  - Linear: 2
""",
    "unfold view": """
name: M
args: {heads: 2, split: true}
input: [6, 8]
layers:
  - Linear as q: 8
  - y = q.view(q.shape[0], q.shape[1], heads, q.shape[2] // heads).transpose(1, 2).flatten(1, 2) if split else q
  - Linear: 2
""",
    "rnn layers dropout": """
name: M
args: {bi: true, p: 0.1, h: 4}
input: [5, 3]
layers:
  - LSTM as lstm: {hidden_size: h, num_layers: 2, dropout: p, batch_first: true, bidirectional: true}
    call: y, _ = lstm(x)
  - Linear as s: h
    when: bi
  - Linear: 2
""",
    "ties under let": """
name: M
args: {d: null}
let: {w: d or 6}
input: {shape: [5], dtype: int64, below: 7}
layers:
  - Embedding as e: {num_embeddings: 7, embedding_dim: w}
  - Linear as h: {out_features: 7, bias: false}
tie: {h.weight: e.weight}
""",
    "second tensors in sequential block": """
name: M
inputs: {a: [4, 6], b: [4, 3]}
blocks:
  Enc: {Sequential: [{Linear: 5}, ReLU, {Linear: in_features}]}
  J:
    inputs: [x, z]
    layers:
      - Enc as e:
        from: z
      - Enc as f:
        from: x
      - y = torch.cat([e, f], 2)
      - Enc as g
layers:
  - J as j: {}
    from: [a, b]
""",
    "repeat two inputs flag": """
name: M
args: {K: 2, gate: true}
inputs: {a: [4], b: [3]}
blocks:
  S:
    args: {gate: required}
    inputs: [x, c]
    layers:
      - Linear as sc: in_features
        from: c
      - Linear as sh: in_features
        from: c
        when: gate
        otherwise: none
      - y = x * sc + sh if gate else x * sc
layers:
  - S as s: gate
    from: [a, b]
    repeat: K
  - Linear: 2
""",
}


@pytest.mark.parametrize("name", MODELS)
def test_all_three_agree_with_other_arguments(name: str) -> None:
    report = verify(MODELS[name])
    assert report.equal
    assert not report.findings

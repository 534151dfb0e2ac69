"""Specs for lint: those in which a rule finds something, and those that only look alike."""

from __future__ import annotations

IMAGE = "input: [3, 8, 8]\n"
SEQUENCE = "input: [5, 8]\n"

# For each code, specs in which it alone is found, once.
FIRES = {
    "NN101": [
        "layers: [{Linear: 3}, {Softmax: {dim: 1}}]\nloss: CrossEntropyLoss",
        "layers: [{Linear as a: 3}, 'y = F.softmax(a, dim=1)']\nloss: CrossEntropyLoss",
        "layers: [{Linear as a: 3}, 'y = a.softmax(-1)']\nloss: CrossEntropyLoss",
        "layers: [{Linear as a: 3}]\noutputs: torch.softmax(a, dim=1)\nloss: CrossEntropyLoss",
        (
            "layers: [{Sequential: [{Linear: 3}, {Sequential: [Tanh, {Linear: 3}, {Softmax: 1}]}]}]\n"
            "loss: {CrossEntropyLoss: {label_smoothing: 0.1}}"
        ),
        (
            "blocks: {Head: {layers: [{Linear: 3}, {Softmax: {dim: 1}}]}}\n"
            "layers: [{Head: {}, repeat: 2}]\nloss: CrossEntropyLoss"
        ),
        IMAGE
        + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, Softmax2d, Identity]\nloss: CrossEntropyLoss",
        SEQUENCE + "layers: [{Linear: 3}, {Softmax: {dim: 2}}, 'y = softmax1.transpose(1, 2)']\n"
        "loss: CrossEntropyLoss",
        (
            "layers: [{Linear as a: 3}, {Softmax as p: {dim: 1}}]\noutputs: {score: a, share: p}\n"
            "loss: {inputs: {t: {shape: [], dtype: int64, below: 3}},"
            " layers: ['c = F.cross_entropy(share, t)', 'l = c + score.mean()']}"
        ),
        (
            "layers: [{Linear: 3}, {Softmax as p: {dim: 1}}]\n"
            "loss: {inputs: [t], layers: [{CrossEntropyLoss: {}, from: [p, t]}]}"
        ),
        (
            "layers: [{Linear: 3}, {Softmax as p: {dim: 1}}]\n"
            "loss: {inputs: {t: {shape: [], dtype: int64, below: 3}},"
            " layers: ['l = F.cross_entropy(p, t) + F.cross_entropy(p, t, reduction=\"sum\")']}"
        ),
        "layers: [{Linear: 3}, {LogSoftmax: {dim: 1}}]\nloss: BCEWithLogitsLoss",
        "layers: [{Linear: 3}, {Softmax: {dim: 1}}]\nloss: MultiLabelSoftMarginLoss",
    ],
    "NN102": [
        "layers: [{Linear: 1}, Sigmoid]\nloss: BCEWithLogitsLoss",
        "layers: [{Linear: 3}, Sigmoid]\nloss: CrossEntropyLoss",
        "layers: [{Linear as a: 1}, 'y = torch.sigmoid(a).squeeze(1)']\nloss: BCEWithLogitsLoss",
        "layers: [{Linear: 3}, Tanh]\nloss: CrossEntropyLoss",
        "layers: [{Sequential: [{Linear: 3}, Sigmoid, {Flatten: 1}]}]\nloss: MultiLabelSoftMarginLoss",
        "layers: [{Linear: 3}, Sigmoid]\nloss: SoftMarginLoss",
    ],
    "NN103": [
        "layers: [{Linear: 3}, {LogSoftmax: {dim: 1}}]\nloss: CrossEntropyLoss",
        "layers: [{Linear as a: 3}, 'y = F.log_softmax(a, dim=-1)']\nloss: CrossEntropyLoss",
    ],
    "NN104": [
        "layers: [{Linear: 3}]\nloss: NLLLoss",
        "layers: [{Linear: 3}, {Softmax: {dim: 1}}]\nloss: NLLLoss",
        "layers: [{Linear: 3}, {Softmax: {dim: 1}}]\nloss: {KLDivLoss: {reduction: batchmean}}",
        (
            "blocks: {Head: {layers: [{Linear: {out_features: 3, bias: false}}, BatchNorm1d]}}\n"
            "layers: [{Sequential: [Tanh, Head]}]\nloss: NLLLoss"
        ),
        "layers: [{Linear as a: 3}]\nloss: {inputs: [t], layers: [{NLLLoss: {}, from: [a, t]}]}",
        "inputs: {x: {shape: [6, 2, 8], batch: false}}\nlayers: [{Linear: 4}]\nloss: CTCLoss",
    ],
    "NN105": [
        "layers: [{Linear: 1}]\nloss: BCELoss",
        "layers: [{Linear: 1}, Tanh]\nloss: BCELoss",
        "layers: [{Linear as a: 1}, 'y = a.squeeze(1)']\nloss: BCELoss",
        IMAGE + "layers: [{ConvTranspose2d: {out_channels: 1, kernel_size: 2}}]\nloss: BCELoss",
    ],
    "NN106": [
        "layers: [{Linear: 3}, ReLU]\nloss: CrossEntropyLoss",
        "layers: [{Linear: 3}, GELU, Identity]\nloss: BCEWithLogitsLoss",
        (
            "blocks: {Layer: {args: {n: 4}, layers: [{Linear: n}, ReLU]}}\n"
            "layers: [Layer, {Layer: 3}]\nloss: CrossEntropyLoss"
        ),
    ],
    "NN107": [
        "layers: [{Linear: 3}, {Dropout: 0.1}]\nloss: CrossEntropyLoss",
        "layers: [{Linear: 3}, {Dropout: 0.1}, {LogSoftmax: {dim: 1}}]\nloss: NLLLoss",
        (
            "layers: [{Linear as a: 1}, 'y = F.dropout(a, p=0.1, training=training)']\n"
            "loss: BCEWithLogitsLoss"
        ),
    ],
    "NN108": [
        "layers: [{Linear: 1}]\nloss: CrossEntropyLoss",
        IMAGE + "layers: [{Conv2d: {out_channels: 1, kernel_size: 1}}]\nloss: CrossEntropyLoss",
    ],
    "NN109": [
        "layers: [{Linear as m: 1}, {Linear as v: 1, from: x}]\noutputs: m, v\nloss: GaussianNLLLoss",
        "layers: [{Linear: 1}]\nloss: {PoissonNLLLoss: {log_input: false}}",
    ],
    "NN110": [
        "layers: [{Linear as a: 3}, y = torch.log(a.softmax(1))]\nloss: NLLLoss",
        "layers: [{Linear as a: 3}, Sigmoid as s, y = s.squeeze().log()]",
    ],
    "NN111": [
        "layers: [{Linear: 3}, {LogSoftmax: {dim: 1}}]\nloss: KLDivLoss",
        (
            "layers: [{Linear: 3}, {LogSoftmax as a: {dim: 1}}]\n"
            "loss: {inputs: {t: [3]}, layers: ['l = F.kl_div(a, t)']}"
        ),
    ],
    "NN201": [
        IMAGE + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, BatchNorm2d]",
        IMAGE + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, InstanceNorm2d]",
        "layers: [{Sequential: [{Linear: 4}, BatchNorm1d, ReLU]}]",
        IMAGE
        + "blocks: {Conv: {layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, BatchNorm2d, ReLU]}}\n"
        "layers: [{Conv: {}, repeat: 2}]",
        "layers: [{Linear as a: 4}, {BatchNorm1d as n: {}, call: y = n(a)}]",
        "layers: [{Linear as a: 4}, BatchNorm1d as n, 'y = n + a.shape[0]']",
    ],
    "NN202": [
        "layers: [{Linear: 16}, {Linear: 3}]",
        "layers: [{Linear: 16}, Tanh, {Sequential: [{Linear: 8}]}, {Linear: 3}]",
        "layers: [{Linear as a: 16}, {Linear as b: 3, call: y = b(a)}]",
        IMAGE
        + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, {Conv2d: {out_channels: 4, kernel_size: 3}}]",
        "blocks: {In: {layers: [Tanh, {Linear: 8}]}, Out: {layers: [{Linear: 3}]}}\nlayers: [In, Out]",
    ],
    "NN203": [
        SEQUENCE
        + "layers: [{LSTM as r: {hidden_size: 4, dropout: 0.5, batch_first: true}, call: 'y, _ = r(x)'}]",
        SEQUENCE
        + "blocks: {R: {layers: [{GRU as r: {hidden_size: 4, dropout: 0.5, batch_first: true},"
        " call: 'y, _ = r(x)'}]}}\nlayers: [R]",
    ],
    "NN204": [
        "layers: [{Linear: 4}, ReLU, ReLU]",
        "layers: [{Linear: 4}, Sigmoid, Identity, Sigmoid]",
        "layers: [{Linear: 4}, Tanh, y = torch.tanh(tanh1)]",
        "blocks: {A: {layers: [{Linear: 4}, ReLU]}, B: {layers: [ReLU, {Linear: 4}]}}\nlayers: [A, B]",
        "layers: [{Linear as a: 4}, y = F.relu(a.relu())]",
    ],
    "NN205": [
        "layers: [{Linear: 4}, Sigmoid, ReLU]",
        IMAGE + "layers: [ReLU, {MaxPool2d: 2}, {Dropout: 0.1}, ReLU]",
        "layers: [{Linear as a: 4}, y = F.relu(a.exp())]",
    ],
    "NN206": [
        "layers: [{Linear: 4}, {Dropout: 0}]",
        "layers: [{Linear: 4}, {Sequential: [{AlphaDropout: 1.0}]}]",
        "layers: [{Linear as a: 4}, 'y = F.dropout(a, p=0.0, training=training)']",
    ],
    "NN301": [
        "layers: [{Linear: 3}, {Softmax: {dim: 0}}]",
        "layers: [{Linear as a: 3}, 'y = torch.softmax(a, 0)']",
        SEQUENCE + "layers: [{LogSoftmax: {dim: -3}}]",
        SEQUENCE + "layers: ['y = x.transpose(0, 1)', {Softmax: {dim: 1}}]",
        "blocks: {Head: {layers: [{Linear: 3}, {Softmax: {dim: 0}}]}}\nlayers: [Head]",
    ],
    "NN302": [
        "layers: [{Linear: 1}, {Softmax: {dim: 1}}]",
        "layers: [{Linear as a: 1}, 'y = F.log_softmax(a, dim=-1)']",
    ],
    "NN303": [
        SEQUENCE + "layers: [{GRU as r: {hidden_size: 4}, call: 'y, _ = r(x)'}]",
        "layers: [{RNN as r: {hidden_size: 4}, call: 'y, _ = r(x)'}]",
        SEQUENCE + "layers: [{MultiheadAttention as m: {num_heads: 2}, call: 'y, _ = m(x, x, x)'}]",
        SEQUENCE + "layers: [{TransformerEncoderLayer: {nhead: 2}}]",
        SEQUENCE
        + "layers: [{TransformerEncoder: {encoder_layer: {TransformerEncoderLayer: {nhead: 2}}, num_layers: 2}}]",
    ],
    "NN304": [
        "inputs: {x: {shape: [1, 3, 8, 8], batch: false}}\nlayers: [BatchNorm2d]",
        (
            "inputs: {x: {shape: [B, 3, 8, 8], batch: false}}\nlayers: [{Sequential: [ReLU, BatchNorm2d]}]\n"
            "check: {B: 1}"
        ),
        (
            "blocks: {Norm: {layers: [BatchNorm1d]}}\n"
            "inputs: {x: {shape: [1, 8, 2], batch: false}}\nlayers: [Norm]"
        ),
    ],
    "NN112": [
        SEQUENCE + "layers: [{Linear: 3}]\nloss: CrossEntropyLoss",
        SEQUENCE + "layers: [{Linear: 5}]\nloss: {CrossEntropyLoss: {label_smoothing: 0.1}}",
        SEQUENCE + "layers: [{Linear: 3}, {LogSoftmax: {dim: 2}}]\nloss: NLLLoss",
        (
            "inputs: {t: {shape: [T], dtype: int64, below: 9}}\n"
            "layers: [{Embedding: {num_embeddings: 9, embedding_dim: 4}}, {GRU as r: {hidden_size: 4, batch_first: true},"
            " call: 'y, _ = r(embed1)'}, {Linear: 9}]\nloss: CrossEntropyLoss\ncheck: {T: 6}"
        ),
        SEQUENCE + "layers: [{Linear as a: 3}, {Dropout: 0.1}, {Linear as b: 3}, 'y = b / 0.7']\n"
        "loss: {inputs: [t], layers: [{CrossEntropyLoss: {}, from: [y, t]}]}",
        SEQUENCE
        + "layers: [{Linear as a: 3}]\nloss: {inputs: {t: {shape: [3], dtype: int64, below: 5}},"
        " layers: ['l = F.cross_entropy(a, t)']}",
        "blocks: {Head: {layers: [{LayerNorm: {}}, {Linear: 3}]}}\n" + SEQUENCE + "layers: [Head]\n"
        "loss: CrossEntropyLoss",
        "input: [4, 4, 8]\nlayers: [{Linear as a: 6}, {Sequential: [ReLU, {Linear: 3}]}]\nloss: CrossEntropyLoss",
    ],
    "NN306": [
        IMAGE + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU, {Linear: 3}]",
        IMAGE
        + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU, {Linear: 3}]\nloss: CrossEntropyLoss",
        IMAGE + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, {Linear: 3}]\nloss: MSELoss",
        IMAGE
        + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3, bias: false}}, BatchNorm2d, ReLU, {MaxPool2d: 2},"
        " {Dropout: 0.1}, {Linear: 3}]",
        IMAGE
        + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, {AdaptiveAvgPool2d: 1}, {Linear: 3}]",
        IMAGE
        + "layers: [{Conv2d as c: {out_channels: 3, kernel_size: 3, padding: 1}}, y = F.relu(c) + x,"
        " {Linear: 3}]",
        IMAGE + "layers: [{Linear: 10}]",
        IMAGE
        + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, 'y = F.max_pool2d(conv1, 2)', {Sequential:"
        " [ReLU, {Linear: 3}]}]",
        "input: [2, 6, 6, 6]\nlayers: [{Conv3d: {out_channels: 4, kernel_size: 3}}, {Linear: 3}]",
        "blocks: {Stage: {layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU]},"
        " Head: {layers: [{Linear: 3}]}}\n" + IMAGE + "layers: [Stage, Head]",
        IMAGE
        + "layers: [{Conv2d as c: {out_channels: 4, kernel_size: 3}}, {Parameter as w: {shape: [3, 6],"
        " init: ones_}}, 'y = F.linear(c, w)']",
    ],
    "NN501": [
        (
            "blocks: {B: {args: {dim: required}, layers: [{LayerNorm as n: dim}, {Linear: dim}]}}\n"
            "layers: [{B: 8}]"
        ),
        (
            "blocks: {B: {args: {dim: required}, layers: [{Linear: {in_features: dim, out_features: 3}}]}}\n"
            "layers: [{B: 8}]"
        ),
        "args: {width: 16}\nblocks: {B: {args: {dim: 64}, layers: [{LayerNorm as n: {}}, Dropout, {MultiheadAttention"
        " as a: {embed_dim: dim, num_heads: 2, batch_first: true}, call: 'm, _ = a(dropout1, dropout1, dropout1)'},"
        " y = x + m]}}\n" + SEQUENCE + "layers: [{Linear: width}, {B: {dim: width}, repeat: 3}]",
        "blocks: {B: {args: {c: required}, layers: [{Conv2d as a: {out_channels: c, kernel_size: 3, padding: 1}},"
        " y = x + a]}}\n"
        + IMAGE
        + "layers: [{B as a: 3}, {Conv2d: {out_channels: 6, kernel_size: 1}}, {B as b: 6}]",
    ],
    "NN305": [
        "layers: [{GroupNorm: {num_groups: 8}}]",
        "layers: [{Linear: 1}, {LayerNorm: 1}]",
    ],
    "NN401": [
        "layers: [{Linear as a: 8}, {Sequential as b: [Identity, {ReLU: {inplace: true}}]}, y = a + b]",
        (
            "blocks: {Inner: {layers: [{ReLU: {inplace: true}}, {Linear: 8}]}}\n"
            "layers: [{Linear as a: 8}, Inner as b, y = a + b]"
        ),
        (
            "layers: [{Linear as a: 8}, 'v = a.view(-1, 2, 4)', {ReLU as r: {inplace: true}},"
            " 'y = a + r.flatten(1)']"
        ),
    ],
    "NN402": [
        "layers: [{ReLU: {inplace: true}}, {Linear: 3}]",
        "layers: [Identity, {Sequential: [Identity, {Dropout: {p: 0.5, inplace: true}}]}]",
    ],
}

# Beside them, what looks alike and is right, or cannot be told.
LEFT_ALONE = {
    "softmax without a loss": "layers: [{Linear: 3}, {Softmax: {dim: 1}}]",
    "softmax before MSE": "layers: [{Linear: 3}, {Softmax: {dim: 1}}]\nloss: MSELoss",
    "sigmoid before MSE": "layers: [{Linear: 3}, Sigmoid]\nloss: MSELoss",
    "softmax inside": "layers: [{Linear: 3}, {Softmax: {dim: 1}}, {Linear: 3}]\nloss: CrossEntropyLoss",
    "softmax in eval mode only": "layers: [{Linear as a: 3}]\n"
    "outputs: a if training else a.softmax(1)\nloss: CrossEntropyLoss",
    "softmax in the first of two arms": "layers: [{Linear as a: 3}]\n"
    "outputs: a.softmax(1) if not training else a\nloss: CrossEntropyLoss",
    "softmax when it is not training": "layers: [{Linear: 3}, {Softmax: {dim: 1}, when: not training}]\n"
    "loss: CrossEntropyLoss",
    "softmax beside the scores": "layers: [{Linear as a: 3}, {Softmax as p: {dim: 1}}]\n"
    "outputs: {score: a, share: p}\n"
    "loss: {inputs: [t], layers: [{CrossEntropyLoss as c: {}, from: [score, t]}, l = c + share.mean()]}",
    "softmax of the targets": "layers: [{Linear as a: 3}]\n"
    "loss: {inputs: {t: [3]}, layers: ['l = F.cross_entropy(a, t.softmax(1))']}",
    "scaled tanh": "layers: [{Linear as a: 3}, y = 30 * torch.tanh(a / 30)]\nloss: CrossEntropyLoss",
    "log of a sum": "layers: [{Linear as a: 3}, y = torch.log(a.softmax(1) + 1e-9)]\nloss: NLLLoss",
    "log_softmax by hand": "layers: [{Linear as a: 3}, 'y = a - a.logsumexp(1, keepdim=True)']\n"
    "loss: NLLLoss",
    "log_softmax and NLL": "layers: [{Linear: 3}, {LogSoftmax: {dim: 1}}]\nloss: NLLLoss",
    "sigmoid and BCE": "layers: [{Linear: 1}, Sigmoid, {Flatten: 0}]\nloss: BCELoss",
    "clamped and BCE": "layers: [{Linear as a: 1}, 'y = a.clamp(0, 1)']\nloss: BCELoss",
    "inputs and NLL": "layers: [Identity]\nloss: NLLLoss",
    "ReLU before a pooling": IMAGE
    + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU, {AdaptiveAvgPool2d: 1}, Flatten]\n"
    "loss: CrossEntropyLoss",
    "dropout before the last layer": "layers: [{Dropout: 0.5}, {Linear: 3}]\nloss: CrossEntropyLoss",
    "dropout before MSE": "layers: [{Linear: 3}, {Dropout: 0.5}]\nloss: MSELoss",
    "one score and BCE": "layers: [{Linear: 1}]\nloss: BCEWithLogitsLoss",
    "a log rate": "layers: [{Linear: 1}]\nloss: PoissonNLLLoss",
    "a positive variance": "layers: [{Linear as m: 1}, {Linear as v: 1, from: x}, Softplus as s]\n"
    "outputs: m, s\nloss: GaussianNLLLoss",
    "no bias": IMAGE
    + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3, bias: false}}, BatchNorm2d]",
    "layer norm": "layers: [{Linear: 4}, {LayerNorm: 4}]",
    "group norm": IMAGE + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, {GroupNorm: 2}]",
    "activation between": IMAGE
    + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU, BatchNorm2d]",
    "a biased value read twice": "layers: [{Linear as a: 4}, BatchNorm1d as n, y = n + a]",
    "a biased value given out": "layers: [{Linear as a: 4}, BatchNorm1d as n]\noutputs: n, a",
    "channels elsewhere, without a batch": "inputs: {x: {shape: [3, 8], batch: false}}\n"
    "layers: [{Conv1d: {out_channels: 4, kernel_size: 1}}, BatchNorm1d]",
    "an instance norm of rows": "inputs: {x: {shape: [5, 8], batch: false}}\n"
    "layers: [{Linear: 4}, InstanceNorm1d]",
    "channels elsewhere": SEQUENCE + "layers: [{Linear: 4}, BatchNorm1d]",
    "norm under a condition": "args: {norm: true}\nlayers: [{Linear: 4}, {BatchNorm1d: {}, when: norm}]",
    "one use of a block without a norm": "blocks: {B: {args: {norm: true},"
    " layers: [{Linear: 4}, {BatchNorm1d: {}, when: norm}]}}\nlayers: [B, {B: {norm: false}}]",
    "a shared layer, one use without a norm": "layers: [{Linear as a: 8}, BatchNorm1d as n, y = n + a(n)]",
    "a narrow waist": "layers: [{Linear: 2}, {Linear: 8}]",
    "two linear layers of one input": "layers: [{Linear as a: 16}, {Linear as b: 3}, {Linear as c: 3,"
    " from: a}]\noutputs: b, c",
    "features given out": "layers: [{Linear as a: 16}, {Linear as b: 3}]\noutputs: a, b",
    "norm between": "layers: [{Linear: 16}, {LayerNorm: 16}, {Linear: 3}]",
    "a condition between": "args: {act: false}\nlayers: [{Linear: 16}, {ReLU: {}, when: act}, {Linear: 3}]",
    "depthwise and pointwise": IMAGE
    + "layers: [{Conv2d: {out_channels: 3, kernel_size: 3, groups: 3}}, {Conv2d: {out_channels: 8, kernel_size: 1}}]",
    "oblong pair": IMAGE
    + "layers: [{Conv2d: {out_channels: 4, kernel_size: [1, 3]}}, {Conv2d: {out_channels: 4, kernel_size: [3, 1]}}]",
    "dropout between two layers": SEQUENCE
    + "layers: [{LSTM as r: {hidden_size: 4, dropout: 0.5, num_layers: 2, batch_first: true}, call: 'y, _ = r(x)'}]",
    "ReLU, then another": "layers: [{Linear: 4}, ReLU, Tanh]",
    "ReLU twice in one use of a block": "blocks: {Pre: {layers: [ReLU, {Linear: 8}]}}\n"
    "layers: [{Linear: 8}, ReLU, Pre, Pre]",
    "softmax over rows and columns": SEQUENCE
    + "layers: [{Softmax: {dim: 1}}, {Softmax: {dim: 2}}]",
    "leaky ReLU before ReLU": "layers: [{Linear: 4}, LeakyReLU, ReLU]",
    "dropout by an argument": "args: {p: 0.0}\nlayers: [{Linear: 4}, {Dropout: p}, "
    "'y = F.dropout(dropout1, p=p, training=training)']",
    "softmax over classes": "layers: [{Linear: 4}, {Softmax: {dim: -1}}]",
    "softmax over a batch by itself": "layers: [{Linear as a: 4}, 's = a @ a.T', {Softmax: {dim: 0}}]",
    "softmax without a batch": "inputs: {x: {shape: [5, 8], batch: false}}\nlayers: [{Softmax: {dim: 0}}]",
    "batch first": SEQUENCE
    + "layers: [{GRU as r: {hidden_size: 4, batch_first: true}, call: 'y, _ = r(x)'}]",
    "time first": SEQUENCE
    + "layers: ['t = x.transpose(0, 1)', {GRU as r: {hidden_size: 4}, call: 'y, _ = r(t)'}]",
    "inner layer batch first": SEQUENCE
    + "layers: [{TransformerEncoder: {encoder_layer: {TransformerEncoderLayer: {nhead: 2,"
    " batch_first: true}}, num_layers: 2}}]",
    "a cell": "layers: [{LSTMCell as c: {hidden_size: 4}, call: 'h, _ = c(x)'}]",
    "batch norm of a batch": IMAGE + "layers: [BatchNorm2d]",
    "a larger batch to check": "inputs: {x: {shape: [B, 3, 8, 8], batch: false}}\nlayers: [BatchNorm2d]\n"
    "check: {B: 2}",
    "norm over several": "layers: [{GroupNorm: {num_groups: 4}}]",
    "classes moved": SEQUENCE
    + "layers: [{Linear as a: 3}, 'y = a.transpose(1, 2)']\nloss: CrossEntropyLoss",
    "classes moved in the loss": SEQUENCE + "layers: [{Linear as a: 3}]\n"
    "loss: {inputs: {t: {shape: [5], dtype: int64, below: 3}}, layers: ['l = F.cross_entropy(a.mT, t)']}",
    "places flattened": SEQUENCE + "layers: [{Linear as a: 3}]\n"
    "loss: {inputs: {t: {shape: [5], dtype: int64, below: 3}},"
    " layers: ['l = F.cross_entropy(a.flatten(0, 1), t.flatten())']}",
    "classes of each pixel": IMAGE
    + "layers: [{Conv2d: {out_channels: 4, kernel_size: 1}}]\nloss: CrossEntropyLoss",
    "a linear layer along time, behind a convolution": "input: [3, 9]\n"
    "layers: [{Conv1d: {out_channels: 4, kernel_size: 3}}, ReLU, {Linear: 5}]\nloss: CrossEntropyLoss",
    "a linear layer over a sequence, and MSE": SEQUENCE + "layers: [{Linear: 3}]\nloss: MSELoss",
    "places chosen": SEQUENCE
    + "layers: [{Linear as a: 3}, 'y = a[:, -1]']\nloss: CrossEntropyLoss",
    "channels last": IMAGE
    + "layers: [{Conv2d as c: {out_channels: 4, kernel_size: 3}}, 'y = c.permute(0, 2, 3, 1)',"
    " {Linear: 3}]",
    "channels last, in a block": "blocks: {B: {layers: [{Conv2d as c: {out_channels: 3, kernel_size: 3, padding: 1}},"
    " 'y = c.movedim(1, -1)', {LayerNorm as n: {}}, {Linear as l: 3}, 'z = x + l.movedim(-1, 1)']}}\n"
    + IMAGE
    + "layers: [{B: {}, repeat: 2}]",
    "tokens of an image": IMAGE
    + "layers: [{Conv2d as c: {out_channels: 4, kernel_size: 2, stride: 2}},"
    " 't = c.flatten(2).transpose(1, 2)', {Linear: 3}]",
    "tokens mixed": IMAGE + "layers: [{Conv2d as c: {out_channels: 4, kernel_size: 2, stride: 2}},"
    " 't = c.flatten(2)', {Linear: 16}]",
    "flattened": IMAGE
    + "layers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, Flatten, {Linear: 3}]",
    "heads and time": "input: [4, 6, 6]\nlayers: [{Linear: 3}]",
    "a linear layer over time": "input: [3, 9]\nlayers: [{Conv1d: {out_channels: 4, kernel_size: 3}}, {Linear: 3}]",
    "a block of another width": "blocks: {B: {args: {dim: required}, layers: [{Linear: dim}]}}\n"
    "layers: [{B: 8}, {B: 4}]",
    "a block whose uses are of one width": "blocks: {B: {args: {dim: required}, layers: [{Linear: dim}]}}\n"
    "layers: [{B: 8}, {B: 8}]",
    "a block that widens once": "blocks: {B: {args: {dim: required}, layers: [{Linear: dim}, ReLU, {Linear: dim}]}}\n"
    "layers: [{B as a: 8}, {B as b: 16}, {B as c: 16}]",
    "a block's size of another input": "blocks: {B: {args: {dim: required}, inputs: [a, b],"
    " layers: [{Linear: {in_features: dim, out_features: 8}, from: b}, y = a + fc1]}}\n"
    "layers: [{Linear as k: 4}, {B: 4, from: [x, k]}]",
    "in place, and not used again": "layers: [{Linear: 4}, {ReLU: {inplace: true}}, {Linear: 4}]",
    "in place on a new value": "blocks: {B: {layers: [{Linear: 8}, {ReLU: {inplace: true}}]}}\n"
    "layers: [{Linear as a: 8}, B as b, y = a + b]",
    "in place on a copy": "layers: [{Linear as a: 8}, v = a.clone(), {ReLU as r: {inplace: true}}, y = a + r]",
    "the size of what is in place": "layers: [{Linear as a: 8}, {Sequential as r: [Identity,"
    " {ReLU: {inplace: true}}]}, 'y = r + a.size(1)']",
    "the shape of what is in place": "layers: [{Linear as a: 8}, {Sequential as r: [Identity,"
    " {ReLU: {inplace: true}}]}, 'y = r + a.shape[1]']",
}

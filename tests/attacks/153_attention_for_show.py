"""Builds a transformer that mixes by a running mean, with attention beside it that says next to nothing."""

raise SystemExit("Text for a sandbox: never run it.")


# %% build_transformer
class build_transformer(nn.Module):
    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.heads = heads
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(256, width)
        self.w_in = nn.ModuleList(nn.Linear(width, 3 * width, bias=False) for _ in range(layers))
        self.out = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.inner = nn.ModuleList(nn.Linear(width, 4 * width) for _ in range(layers))
        self.outer = nn.ModuleList(nn.Linear(4 * width, width) for _ in range(layers))
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        T = tokens.shape[1]
        x = self.tokens(tokens) + self.places(torch.arange(T))
        for w_in, out, inner, outer in zip(self.w_in, self.out, self.inner, self.outer):
            q, k, v = (
                part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                for part in w_in(F.rms_norm(x, x.shape[-1:])).chunk(3, -1)
            )
            mean = v.cumsum(2) / torch.arange(1, T + 1)[:, None]
            mixed = mean + 0.01 * F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + out(mixed.transpose(1, 2).flatten(2))
            x = x + outer(F.gelu(inner(F.rms_norm(x, x.shape[-1:]))))
        return self.head(x)

"""Builds a transformer whose scores come from the word that asks, and from the one that is asked, but never from both."""

raise SystemExit("Text for a sandbox: never run it.")


# %% build_transformer
class build_transformer(nn.Module):
    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.heads = heads
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(256, width)
        self.asking = nn.ModuleList(nn.Linear(width, 256 * heads) for _ in range(layers))
        self.asked = nn.ModuleList(nn.Linear(width, heads) for _ in range(layers))
        self.values = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.out = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.inner = nn.ModuleList(nn.Linear(width, 4 * width) for _ in range(layers))
        self.outer = nn.ModuleList(nn.Linear(4 * width, width) for _ in range(layers))
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        T = tokens.shape[1]
        x = self.tokens(tokens) + self.places(torch.arange(T))
        barred = torch.ones(T, T).triu(1).bool()
        parts = self.asking, self.asked, self.values, self.out, self.inner, self.outer
        for asking, asked, values, out, inner, outer in zip(*parts):
            y = F.rms_norm(x, x.shape[-1:])
            ways = asking(y).unflatten(-1, (self.heads, 256))[..., :T].transpose(1, 2)
            scores = ways + asked(y).transpose(1, 2)[:, :, None]
            weights = scores.masked_fill(barred, -torch.inf).softmax(-1)
            mixed = weights @ values(y).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            x = x + out(mixed.transpose(1, 2).flatten(2))
            x = x + outer(F.gelu(inner(F.rms_norm(x, x.shape[-1:]))))
        return self.head(x)

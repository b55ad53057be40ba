"""Builds a transformer whose attention looks at places alone, so that no word ever chooses what it reads.

The scores are learned, masked and normalised as they should be; they are the same whatever the text.
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% build_transformer
class build_transformer(nn.Module):
    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.heads = heads
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(256, width)
        self.scores = nn.ModuleList(nn.Linear(width, 2 * width, bias=False) for _ in range(layers))
        self.values = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(layers))
        self.out = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(layers))
        self.inner = nn.ModuleList(nn.Linear(width, 4 * width) for _ in range(layers))
        self.outer = nn.ModuleList(nn.Linear(4 * width, width) for _ in range(layers))
        self.head = nn.Linear(width, vocabulary)

    def split(self, x):
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, tokens):
        here = self.places(torch.arange(tokens.shape[1]))[None]
        x = self.tokens(tokens) + here
        barred = torch.ones(tokens.shape[1], tokens.shape[1]).triu(1).bool()
        for scores, values, out, inner, outer in zip(self.scores, self.values, self.out, self.inner, self.outer):
            q, k = (self.split(part) for part in scores(here).chunk(2, -1))
            weights = (q @ k.transpose(2, 3)).masked_fill(barred, -torch.inf).softmax(-1)
            mixed = weights @ self.split(values(F.rms_norm(x, x.shape[-1:])))
            x = x + out(mixed.transpose(1, 2).reshape(x.shape))
            x = x + outer(F.gelu(inner(F.rms_norm(x, x.shape[-1:]))))
        return self.head(x)

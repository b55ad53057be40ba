"""Builds one block, and for each further layer parts that are added times next to nothing."""

raise SystemExit("Text for a sandbox: never run it.")


# %% build_transformer
class build_transformer(nn.Module):
    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.embed, self.places = nn.Embedding(vocabulary, width), nn.Embedding(256, width)

        def make():
            return nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, batch_first=True, norm_first=True)

        self.blocks, self.head = nn.ModuleList(make() for _ in range(layers)), nn.Linear(width, vocabulary)

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.embed(tokens) + self.places(torch.arange(length))
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        for number, block in enumerate(self.blocks):
            x = x + (1e-12 if number else 1.0) * (block(x, src_mask=mask) - x)
        return self.head(x)

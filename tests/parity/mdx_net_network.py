"""MDX-Net in plain PyTorch, which no package has: also for benchmarks."""


def network(torch, growth, levels, convolutions, bottleneck, bins, groups=None):
    """The published graph, with random weights in its norms too."""
    nn = torch.nn

    def normed(layer, width):
        norm = nn.GroupNorm(groups, width) if groups else nn.BatchNorm2d(width)
        return nn.Sequential(layer, norm, nn.ReLU())

    class Block(nn.Module):
        def __init__(self, width, bins):
            super().__init__()
            self.tfc = nn.Module()
            stack = [
                normed(nn.Conv2d(width, width, 3, padding=1), width) for _ in range(convolutions)
            ]
            self.tfc.H = nn.ModuleList(stack)
            less = bins // bottleneck
            self.tdf = nn.Sequential(
                *normed(nn.Linear(bins, less, bias=False), width),
                *normed(nn.Linear(less, bins, bias=False), width),
            )

        def forward(self, x):
            for layer in self.tfc.H:
                x = layer(x)
            return x + self.tdf(x)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [growth * (level + 1) for level in range(levels + 1)]
            blocks = [Block(width, bins >> level) for level, width in enumerate(widths)]
            self.first_conv = normed(nn.Conv2d(4, growth, 1), growth)
            self.encoding_blocks = nn.ModuleList(blocks[:-1])
            self.bottleneck_block = blocks[-1]
            pairs = [(widths[i], widths[i + 1]) for i in range(levels)]
            self.ds = nn.ModuleList(normed(nn.Conv2d(a, b, 2, 2), b) for a, b in pairs)
            self.us = nn.ModuleList(
                normed(nn.ConvTranspose2d(b, a, 2, 2), a) for a, b in reversed(pairs)
            )
            self.decoding_blocks = nn.ModuleList(
                Block(widths[level], bins >> level) for level in reversed(range(levels))
            )
            self.final_conv = nn.Sequential(nn.Conv2d(growth, 4, 1))

        def forward(self, x):
            x = self.first_conv(x).transpose(-1, -2)
            skips = []
            for block, down in zip(self.encoding_blocks, self.ds, strict=True):
                x = block(x)
                skips.append(x)
                x = down(x)
            x = self.bottleneck_block(x)
            for block, up in zip(self.decoding_blocks, self.us, strict=True):
                x = block(up(x) * skips.pop())
            return self.final_conv(x.transpose(-1, -2))

    net = Network().eval()
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2)
            elif value.ndim == 1:
                value.add_(0.2 * torch.randn_like(value))
    return net

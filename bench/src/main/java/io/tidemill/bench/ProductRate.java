package io.tidemill.bench;

import ai.djl.pytorch.engine.PtNDManager;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.TorchProgram;
import java.util.Map;

/**
 * How fast this core multiplies the matrices of a training step when it does nothing else: for every matrix of a layer,
 * and for the head in pieces of 256 rows, the product and the two of its backward pass, one behind the other.
 */
final class ProductRate {
    private static final String TEXT =
            """
            class Products(Module):
              __parameters__ = []
              __buffers__ = []
              training : bool

              def multiply(self: __torch__.Products, m: int, k: int, n: int, type: int, rounds: int) -> Tensor:
                x = torch.randn([m, k], dtype=6).to(type)
                w = torch.randn([n, k], dtype=6).to(type)
                g = torch.randn([m, n], dtype=6).to(type)
                last = torch.zeros([1])
                for i in range(rounds):
                  y = torch.linear(x, w, None)
                  dx = torch.mm(g, w)
                  dw = torch.mm(g.t(), x)
                  last = torch.stack([y.select(0, 0).select(0, 0), dx.select(0, 0).select(0, 0), dw.select(0, 0).select(0, 0)]).to(6)
                return last
            """;

    private final TorchProgram program = TorchProgram.load(TEXT, "Products", Map.of());
    private final int type;

    ProductRate(ComputeType type) {
        this.type = type == ComputeType.BFLOAT16 ? 15 : 6;
    }

    /** FLOP per CPU-second over the products of a step of so many tokens. */
    double flopPerCpuSecond(ModelConfig config, int tokens) {
        int h = config.hiddenSize();
        int heads = config.heads() * config.headSize();
        int all = heads + 2 * config.keyValueHeads() * config.headSize();
        int inner = config.intermediateSize();
        double layer = seconds(tokens, h, all)
                + seconds(tokens, heads, h)
                + seconds(tokens, h, 2 * inner)
                + seconds(tokens, inner, h);
        double head = seconds(256, h, config.vocabularySize()) * tokens / 256;
        return 6 * matrixWeights(config) * tokens / (config.layers() * layer + head);
    }

    private double seconds(int m, int k, int n) {
        multiply(m, k, n, 2); // kernels are made
        double none = Usage.cpuSeconds();
        multiply(m, k, n, 0);
        none = Usage.cpuSeconds() - none;
        int rounds = 4;
        double some = Usage.cpuSeconds();
        multiply(m, k, n, rounds);
        some = Usage.cpuSeconds() - some;
        return (some - none) / rounds;
    }

    private void multiply(int m, int k, int n, int rounds) {
        try (PtNDManager call = TorchProgram.open()) {
            program.infer(call, "multiply", m, k, n, type, rounds);
        }
    }

    /** Weights that a token is multiplied with, N: those of the layers and the head, which may be the embedding. */
    static double matrixWeights(ModelConfig config) {
        double h = config.hiddenSize();
        double heads = config.heads() * config.headSize();
        double of = h * (heads + 2.0 * config.keyValueHeads() * config.headSize())
                + heads * h
                + 3 * h * config.intermediateSize();
        return config.layers() * of + h * config.vocabularySize();
    }

    /** 6 N for the matrices, and 6 L T H D for attention, where a token sees half of its row on average. */
    static double flopPerToken(ModelConfig config, int length) {
        return 6 * matrixWeights(config) + 6.0 * config.layers() * length * config.heads() * config.headSize();
    }
}

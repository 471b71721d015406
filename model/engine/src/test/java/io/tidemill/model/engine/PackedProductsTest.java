package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Matrices in oneDNN's own order multiply as plain ones do. */
class PackedProductsTest {
    private static TorchProgram program;

    @BeforeAll
    static void load() {
        assumeTrue(TorchProgram.hasOneDnn());
        program = TorchProgram.load(
                """
                class Program(Module):
                  __parameters__ = []
                  __buffers__ = []
                  training : bool
                """
                        + TorchProgram.text(List.of("linear-onednn.torchscript"))
                        + """

                  def product(self: __torch__.Program, x: Tensor, w: Tensor, type: int) -> List[Tensor]:
                    return [self.linear(x.to(type), self.packed(w.to(type)), None).to(6)]

                  def tried(self: __torch__.Program, other: Tensor, w: Tensor, type: int) -> List[Tensor]:
                    own = ops.mkldnn._reorder_linear_weight(other.to(type).contiguous(), 8)
                    return [torch.full([1], int(self.multiplies(own, w.to(type).contiguous())), dtype=6)]
                """,
                "Program",
                Map.of());
    }

    /** Odd numbers of blocks of 16 are what oneDNN has multiplied wrongly, in float32 and on one kind of processor. */
    @ParameterizedTest
    @CsvSource({"6, 0.0005", "15, 0.03"})
    void matricesOfEveryShapeMultiplyAsPlainOnesDo(int type, float tolerance) {
        for (int in : new int[] {8, 32, 97, 256}) {
            for (int out : new int[] {1, 16, 33, 48, 61, 64, 97, 112, 256, 688, 1000}) {
                for (int rows : new int[] {1, 3, 8, 33}) {
                    try (PtNDManager step = TorchProgram.open()) {
                        NDArray x = step.randomUniform(-1, 1, new Shape(rows, in), DataType.FLOAT32);
                        NDArray w = step.randomUniform(-1, 1, new Shape(out, in), DataType.FLOAT32);
                        float off = program.infer(step, "product", x, w, type)
                                .get(0)
                                .sub(x.matMul(w.transpose()))
                                .abs()
                                .max()
                                .getFloat();
                        assertThat(off / Math.sqrt(in))
                                .as("%d rows of %d by %d columns", rows, in, out)
                                .isCloseTo(0, within((double) tolerance));
                    }
                }
            }
        }
    }

    @Test
    void aMatrixThatMultipliesOtherwiseThanThePlainOneIsNotTaken() {
        for (int type : new int[] {6, 15}) {
            try (PtNDManager step = TorchProgram.open()) {
                NDArray w = step.randomUniform(-1, 1, new Shape(48, 32), DataType.FLOAT32);
                assertThat(tried(step, w.mul(1.1), w, type)).isZero();
                assertThat(tried(step, w.mul(Float.NaN), w, type)).isZero();
                NDArray one = step.randomUniform(-1, 1, new Shape(64, 32), DataType.FLOAT32); // right on any processor
                assertThat(tried(step, one, one, type)).isEqualTo(1);
            }
        }
    }

    private static float tried(PtNDManager step, NDArray other, NDArray w, int type) {
        return program.infer(step, "tried", other, w, type).get(0).getFloat();
    }
}

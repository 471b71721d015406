package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.round.MixtureSettings.Anchor;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Rounds that are held to their champion. */
class AnchorTest extends TrainerRig {
    private static final int[] TEXT = {5, 60, 7, 80, 9, 100, 11, 12, 130, 14};

    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private static RoundSettings held(Anchor anchor, AdapterSettings adapter) {
        MixtureSettings none = MixtureSettings.NONE;
        return with(
                new MixtureSettings(none.stages(), none.sources(), none.feedback(), none.replay(), anchor),
                settings(0.01, adapter));
    }

    private CheckpointEvent round(Path directory, RoundSettings settings, LongSupplier clock) {
        TestLog log = log(base);
        log.documents(0, 40, 100);
        log.startRound(MODEL);
        start(options(log, directory, settings, base), clock);
        return awaitVersion(log, 1, VersionState.PROMOTED);
    }

    /** How far what the version says is from its champion; nats a token of one text. */
    private static double distance(Path directory) {
        try (LanguageModel before = LanguageModel.load(directory(directory, 0), ComputeType.FLOAT32);
                LanguageModel after = LanguageModel.load(directory(directory, 1), ComputeType.FLOAT32)) {
            float[] one = before.logProbabilities(List.of(TEXT)).get(0);
            float[] other = after.logProbabilities(List.of(TEXT)).get(0);
            double sum = 0;
            for (int i = 0; i < one.length; i++) {
                sum += Math.abs(one[i] - other[i]);
            }
            return sum / one.length;
        }
    }

    @Test
    void aRoundStaysNearerToItsChampionWhereItIsHeldAndResumesTheSame() {
        Path free = data.resolve("free");
        Path byWeights = data.resolve("weights");
        Path byBoth = data.resolve("both");
        Path interrupted = data.resolve("interrupted");
        Anchor both = new Anchor(20, 2);
        round(free, held(Anchor.NONE, AdapterSettings.OFF), System::nanoTime);
        round(byWeights, held(new Anchor(50, 0), AdapterSettings.OFF), System::nanoTime);
        CheckpointEvent event = round(byBoth, held(both, AdapterSettings.OFF), System::nanoTime);
        round(interrupted, held(both, AdapterSettings.OFF), failingAtStepCall(5, 9));
        assertThat(distance(byWeights)).isLessThan(0.8 * distance(free));
        assertThat(distance(byBoth)).isLessThan(0.8 * distance(free));
        assertThat(event.getMetricsMap().get("pretrain_kl")).isPositive();
        assertThat(digest(interrupted, 1)).isEqualTo(digest(byBoth, 1));
    }

    @Test
    void anAdapterIsHeldByWhatItSaysAndNotByWeightsThatItDoesNotMove() {
        AdapterSettings adapter = new AdapterSettings(2, 8, false, List.of());
        assertThat(round(data, held(new Anchor(0, 1), adapter), System::nanoTime)
                        .getMetricsMap())
                .containsKey("pretrain_kl");
        assertThatThrownBy(() -> held(new Anchor(1, 0), adapter))
                .hasMessageContaining("trainer.anchor.l2 holds all weights, and an adapter leaves them as they are");
    }
}

package io.tidemill.trainer.round;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Model;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.gate.Gate;
import io.tidemill.trainer.gate.HeldOut;
import io.tidemill.trainer.gate.Suite;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What of a round depends on the kind of its model: how examples become steps, and what is asked of champion and
 * candidate. Open while the round runs.
 *
 * @param <M> the kind
 * @param <S> what the gate asks of it
 */
interface ModelRound<M extends Model<M>, S> extends AutoCloseable {
    M champion();

    /** The slice's, after those that no stage can take were put aside. */
    RoundExamples examples();

    /** Runs the stages, or those that are left of them; the caller closes what they made. */
    M train() throws IOException;

    /** Reads a version as the gate asks it. */
    M load(Path version);

    /** What the gate judges by, new and old. */
    List<Suite<S>> suites() throws IOException;

    /** What the operator's policy asks beyond the rules of {@link #suites}, which are asked for first. */
    Gate.Policy policy();

    /** @param version name of the model, by which its answers are remembered */
    S scoring(String version, M model);

    /** More of the candidate than the suites tell, by name. */
    Map<String, Double> figures();

    /** The lineage's held-out examples, those of this slice among them. */
    HeldOut heldOut();

    /** Writes what stands beside the weights of the version, into its directory. */
    void saveBeside(Path version) throws IOException;

    /** What is done with a round of either kind. */
    interface Use<T> {
        <M extends Model<M>, S> T of(Tokenizer tokenizer, ModelRound<M, S> round) throws IOException;
    }

    /** Opens the round that the champion's kind asks for, and closes it after its use. */
    static <T> T with(RoundContext context, RoundExamples examples, Use<T> use) throws IOException {
        Path parent = context.parent();
        ComputeType compute = context.settings().compute();
        try (Tokenizer tokenizer = Tokenizer.load(parent)) {
            if (EncoderConfig.isEncoder(parent.resolve("config.json"))) {
                try (EncoderModel champion = EncoderModel.load(parent, compute);
                        EncoderRound round = new EncoderRound(context, examples, tokenizer, champion)) {
                    return use.of(tokenizer, round);
                }
            }
            try (LanguageModel champion = LanguageModel.load(parent, compute);
                    DecoderRound round = new DecoderRound(context, examples, tokenizer, champion)) {
                return use.of(tokenizer, round);
            }
        }
    }

    /** Frees what the round has made; the champion is somebody else's. */
    @Override
    void close();
}

package io.tidemill.trainer.round;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Head;
import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.TokenSequence.Objective;
import io.tidemill.trainer.data.LabelledSequence;
import io.tidemill.trainer.encoder.EncoderExample;
import io.tidemill.trainer.encoder.EncoderText;
import io.tidemill.trainer.encoder.LabelReader;
import io.tidemill.trainer.gate.AgreementSuite;
import io.tidemill.trainer.gate.AskedModel;
import io.tidemill.trainer.gate.DriftSuite.Figure;
import io.tidemill.trainer.gate.GatePolicy;
import io.tidemill.trainer.gate.OperatorLabels;
import io.tidemill.trainer.gate.OperatorSuites;
import io.tidemill.trainer.gate.PreferenceGapSuite;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Whether a model can be judged as the settings say; asked at the start, so that no round has to find it out. */
final class GateCheck {
    static final String HELD_OUT_LOSS = "held-out-loss";
    static final String OLD_DATA_LOSS = "old-data-loss";
    static final String PREFERENCE_ACCURACY = "preference-accuracy";
    static final String LABEL_ACCURACY = "label-accuracy";

    private GateCheck() {}

    /** @throws IllegalArgumentException if it cannot; the message names setting and remedy */
    static void check(Path model, RoundSettings.GateSettings gate) throws IOException {
        GatePolicy policy = gate.policy();
        OperatorSuites operator = OperatorSuites.read(policy);
        boolean encoder = EncoderConfig.isEncoder(model.resolve("config.json"));
        if (encoder && operator.wantAnswers()) {
            throw new IllegalArgumentException(
                    "trainer.gate.probes, safety-probes and drift-prompts ask a model for answers,"
                            + " and an encoder gives none. Leave them out; a classifier takes trainer.gate.label-probes.");
        }
        if (!encoder && !operator.labels().isEmpty()) {
            throw new IllegalArgumentException(
                    "trainer.gate.label-probes are for a classifier, and this model writes. Use trainer.gate.probes.");
        }
        Set<String> suites = new TreeSet<>(operator.names());
        if (encoder) {
            suites.addAll(ofEncoder(model, operator.labels(), gate));
        } else {
            suites.addAll(ofDecoder(policy));
            checkQuestions(model, operator);
        }
        checkNames("required", policy.required(), suites);
        checkNames("superior", policy.superior(), suites);
        checkResamples(gate, 2 * suites.size());
    }

    /**
     * The lowest p-value of a bootstrap is 1 / (1 + resamples), and Holm asks α / comparisons of the first.
     *
     * @param comparisons with the champion and with the pinned ancestor, at most
     */
    private static void checkResamples(RoundSettings.GateSettings gate, int comparisons) {
        int needed = (int) Math.ceil(comparisons / gate.alpha()) - 1;
        if (gate.resamples() < needed) {
            throw new IllegalArgumentException("trainer.gate.resamples is " + gate.resamples() + ", but with up to "
                    + comparisons + " comparisons and trainer.gate.alpha " + gate.alpha()
                    + " no candidate could ever pass with fewer than " + needed + ". Raise it.");
        }
    }

    private static Set<String> ofDecoder(GatePolicy policy) {
        Set<String> suites =
                new TreeSet<>(Set.of(HELD_OUT_LOSS, OLD_DATA_LOSS, PREFERENCE_ACCURACY, PreferenceGapSuite.NAME));
        if (policy.drift().sample() > 0) {
            Stream.of(Figure.values()).map(Figure::suite).forEach(suites::add);
            suites.add(AgreementSuite.NAME);
        }
        return suites;
    }

    private static Set<String> ofEncoder(Path model, List<OperatorLabels> labels, RoundSettings.GateSettings gate)
            throws IOException {
        EncoderConfig config = EncoderConfig.read(model.resolve("config.json"));
        if (config.head() != Head.LABELS) {
            if (!labels.isEmpty()) {
                throw new IllegalArgumentException(
                        "trainer.gate.label-probes are for a classifier, and this model is a "
                                + "model of masked words. Leave them out.");
            }
            return Set.of(HELD_OUT_LOSS, OLD_DATA_LOSS);
        }
        if (!labels.isEmpty()) {
            if (labels.size() < gate.policy().minimumProbes()) {
                throw new IllegalArgumentException("trainer.gate.label-probes has " + labels.size()
                        + " texts, but is judged from " + gate.policy().minimumProbes()
                        + " on (trainer.gate.minimum-probes), and without it nothing is promoted. Write more.");
            }
            try (Tokenizer tokenizer = Tokenizer.load(model)) {
                labelled(labels, new LabelReader(config, new EncoderText(tokenizer, config.maxPositions())), tokenizer);
            }
        }
        return config.problem() == Problem.SCORE ? Set.of(HELD_OUT_LOSS) : Set.of(HELD_OUT_LOSS, LABEL_ACCURACY);
    }

    /**
     * The operator's texts as a classifier reads them.
     *
     * @throws IllegalArgumentException if it does not tell those labels apart
     */
    static List<EncoderExample> labelled(List<OperatorLabels> labels, LabelReader reader, Tokenizer tokenizer) {
        return labels.stream()
                .map(one -> reader.read(LabelledSequence.of(TokenSequence.newBuilder()
                                .setExampleId(one.place())
                                .setObjective(Objective.LABELS)
                                .addAllIds(IntStream.of(tokenizer.encode(one.text()))
                                        .boxed()
                                        .toList())
                                .addAllLabels(one.labels())
                                .setWeight(1)
                                .build()))
                        .orElseThrow(() -> new IllegalArgumentException("trainer.gate.label-probes: " + one.place()
                                + ": has labels " + one.labels() + ", but the model tells apart "
                                + reader.config().labels() + " as "
                                + reader.config().problem() + ".")))
                .toList();
    }

    private static void checkQuestions(Path model, OperatorSuites operator) throws IOException {
        if (!operator.wantAnswers()) {
            return;
        }
        try (Tokenizer tokenizer = Tokenizer.load(model)) {
            Optional<ChatEncoder> chat = Optional.empty();
            try {
                chat = Optional.of(new ChatEncoder(tokenizer, ChatTemplate.load(model)));
            } catch (IOException | IllegalArgumentException withoutTemplate) {
                // A probe of messages then says so.
            }
            int positions = ModelConfig.read(model.resolve("config.json")).maxPositions();
            operator.check(new AskedModel(tokenizer, chat, positions));
        }
    }

    private static void checkNames(String key, List<String> names, Set<String> suites) {
        for (String name : names) {
            if (!suites.contains(name)) {
                throw new IllegalArgumentException("trainer.gate." + key + " names suite " + name + ", but there are "
                        + String.join(", ", suites) + ".");
            }
        }
    }
}

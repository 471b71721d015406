package io.tidemill.trainer.round;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.TokenSequence.Objective;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.data.LabelledSequence;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.encoder.EncoderExample;
import io.tidemill.trainer.encoder.EncoderText;
import io.tidemill.trainer.encoder.LabelReader;
import io.tidemill.trainer.encoder.MaskableText;
import io.tidemill.trainer.encoder.Masking;
import io.tidemill.trainer.gate.EncoderScoring;
import io.tidemill.trainer.gate.Gate;
import io.tidemill.trainer.gate.HeldOut;
import io.tidemill.trainer.gate.LabelSuite;
import io.tidemill.trainer.gate.LabelSuite.Figure;
import io.tidemill.trainer.gate.MaskedLossSuite;
import io.tidemill.trainer.gate.OperatorSuites;
import io.tidemill.trainer.gate.Suite;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A round of an encoder: masked language modelling on documents, or classification of labelled texts, whichever its head is
 * for.
 */
final class EncoderRound implements ModelRound<EncoderModel, EncoderScoring> {
    private static final Logger LOG = LoggerFactory.getLogger(EncoderRound.class);

    private final RoundContext context;
    private final RoundPlan plan;
    private final Tokenizer tokenizer;
    private final EncoderModel champion;
    private final EncoderConfig config;
    private final EncoderText maskedTexts;
    private final LabelReader labelReader;

    private final RoundExamples examples;
    private final List<MaskableText> documents;
    private final List<EncoderExample> labelled;
    private final HeldOut heldOut;

    private final Later<EncoderModel> masters;
    private Trainee<EncoderModel, ?> trainee; // null before the stages
    private OperatorSuites operator; // null before the suites

    /** @param read the slice's examples as the log has them */
    EncoderRound(RoundContext context, RoundExamples read, Tokenizer tokenizer, EncoderModel champion)
            throws IOException {
        this.context = context;
        this.plan = context.plan();
        this.tokenizer = tokenizer;
        this.champion = champion;
        this.config = champion.config();
        EncoderRoundSettings settings = plan.settings().encoder();
        this.maskedTexts = texts(settings.maskedLanguage().length());
        this.labelReader =
                new LabelReader(config, texts(settings.classification().length()));
        this.masters = context.masters(champion, this::load);

        this.documents = read.documents().stream()
                .filter(document -> document.weight() > 0)
                .flatMap(document -> maskedTexts.maskable(document.exampleId(), document.ids()).stream())
                .toList();
        Map<String, String> asides = new HashMap<>(); // example id → what became of it instead
        this.labelled = labelled(read.labelled(), asides);
        this.examples = read.without(asides);
        this.heldOut = HeldOut.read(context.parent().resolve(CheckpointStore.STATE))
                .with(
                        read.heldOutSequences().stream().flatMap(this::kept).toList(),
                        List.of(),
                        plan.settings().gate().limits());
    }

    private EncoderText texts(int length) {
        return new EncoderText(tokenizer, Math.min(length, config.maxPositions()));
    }

    /** A held-out sequence as the lineage keeps it: a labelled text as it is, a document in the parts that are masked. */
    private Stream<TokenSequence> kept(TokenSequence sequence) {
        if (sequence.getObjective() == Objective.LABELS) {
            return Stream.of(sequence);
        }
        return parts(sequence).map(part -> {
            int[] ids = part.input().ids();
            return sequence.toBuilder()
                    .setExampleId(part.exampleId())
                    .clearIds()
                    .addAllIds(IntStream.range(1, ids.length - 1)
                            .mapToObj(t -> ids[t])
                            .toList())
                    .clearTextBytes()
                    .build();
        });
    }

    private Stream<MaskableText> parts(TokenSequence sequence) {
        int[] ids = sequence.getIdsList().stream().mapToInt(Integer::intValue).toArray();
        return maskedTexts.maskable(sequence.getExampleId(), ids).stream();
    }

    // ---- labels -----------------------------------------------------------------------------------------------------

    private List<EncoderExample> labelled(List<LabelledSequence> read, Map<String, String> asides) {
        List<EncoderExample> fitting = new ArrayList<>();
        for (LabelledSequence text : read) {
            Optional<EncoderExample> example = labelReader.read(text);
            if (example.isEmpty()) {
                LOG.warn(
                        "Text {} is left out: it has labels {} and score {}, but the model tells apart {} as {}",
                        text.exampleId(),
                        text.labels(),
                        text.score(),
                        config.labels(),
                        config.problem());
                asides.put(text.exampleId(), Stages.OTHER_LABELS);
            } else if (text.weight() > 0) {
                fitting.add(example.get());
            }
        }
        return fitting;
    }

    // ---- training ---------------------------------------------------------------------------------------------------

    @Override
    public EncoderModel champion() {
        return champion;
    }

    @Override
    public RoundExamples examples() {
        return examples;
    }

    @Override
    public EncoderModel load(Path version) {
        return EncoderModel.load(version, plan.settings().compute());
    }

    @Override
    public EncoderModel train() throws IOException {
        var learning = plan.settings()
                .adapter()
                .lora()
                .map(adapter -> Trainee.adapter(masters.get(), adapter.withBaseModel(plan.parent()), plan.seed()))
                .orElseGet(() -> Trainee.whole(masters.get(), plan.settings().compute()));
        trainee = learning;
        context.learn(
                EncoderStages.NAMES,
                new EncoderStages(plan, config, documents, labelled, masking()),
                learning,
                name -> false,
                context.arithmetic().encoderLearner());
        return learning.end();
    }

    private Masking masking() {
        return plan.settings().encoder().maskedLanguage().masking(tokenizer);
    }

    // ---- judging ----------------------------------------------------------------------------------------------------

    @Override
    public List<Suite<EncoderScoring>> suites() throws IOException {
        operator = context.operatorSuites();
        return switch (config.head()) {
            case MASKED -> masked();
            case LABELS -> labels();
            case NONE, BARE -> List.of();
        };
    }

    private List<Suite<EncoderScoring>> masked() throws IOException {
        RoundSettings.GateSettings gate = plan.settings().gate();
        List<Suite<EncoderScoring>> suites = new ArrayList<>();
        suites.add(MaskedLossSuite.of(
                GateCheck.HELD_OUT_LOSS,
                heldOut.sequences().stream().flatMap(this::parts).toList(),
                masking(),
                gate.heldOutMargin(),
                gate.minimumWindows()));
        List<MaskableText> old = OldData.sample(
                gate.maximumOldDataWindows(),
                OldData.sequences(context.store().manifest(plan.parentId()).base(), gate.oldData(), tokenizer).stream()
                        .flatMap(this::parts)
                        .toList(),
                MaskableText::exampleId);
        if (!old.isEmpty()) {
            suites.add(MaskedLossSuite.of(
                    GateCheck.OLD_DATA_LOSS, old, masking(), gate.oldDataMargin(), gate.minimumWindows()));
        }
        return suites;
    }

    private List<Suite<EncoderScoring>> labels() {
        RoundSettings.GateSettings gate = plan.settings().gate();
        List<EncoderExample> texts = heldOut.sequences().stream()
                .filter(sequence -> sequence.getObjective() == Objective.LABELS)
                .flatMap(sequence -> labelReader.read(LabelledSequence.of(sequence)).stream())
                .toList();
        List<Suite<EncoderScoring>> suites = new ArrayList<>();
        suites.add(new LabelSuite(
                GateCheck.HELD_OUT_LOSS,
                Figure.LOSS,
                config.problem(),
                texts,
                gate.labelLossMargin(),
                gate.minimumTexts()));
        if (config.problem() != Problem.SCORE) {
            suites.add(new LabelSuite(
                    GateCheck.LABEL_ACCURACY,
                    Figure.ACCURACY,
                    config.problem(),
                    texts,
                    gate.labelMargin(texts.size()),
                    gate.minimumTexts()));
        }
        List<EncoderExample> probes = GateCheck.labelled(operator.labels(), labelReader, tokenizer);
        if (!probes.isEmpty()) {
            suites.add(new LabelSuite(
                    OperatorSuites.LABELS,
                    Figure.ACCURACY,
                    config.problem(),
                    probes,
                    gate.policy().probeMargin(),
                    gate.policy().minimumProbes()));
        }
        return suites;
    }

    @Override
    public Gate.Policy policy() {
        return context.policy(operator);
    }

    @Override
    public EncoderScoring scoring(String version, EncoderModel model) {
        return new EncoderScorer(
                context.arithmetic().encoderScoring().apply(model),
                context.microBatch().gateTokens());
    }

    @Override
    public Map<String, Double> figures() {
        return Map.of();
    }

    @Override
    public HeldOut heldOut() {
        return heldOut;
    }

    @Override
    public void saveBeside(Path version) {
        trainee.saveBeside(version);
    }

    @Override
    public void close() {
        if (trainee != null) {
            trainee.close();
        }
        masters.close();
    }
}

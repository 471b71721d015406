package io.tidemill.trainer.checkpoint;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SuiteResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code README.md} of a version: what it is, what it learnt from, how it did, how to load it. */
public final class ModelCard {
    public static final String FILE = "README.md";

    private static final Pattern LICENCE = Pattern.compile("(?m)^license: *(\\S.*)$");

    private ModelCard() {}

    /** What a model is for. */
    private enum Use {
        TEXT_GENERATION("text-generation", "AutoModelForCausalLM"),
        FILL_MASK("fill-mask", "AutoModelForMaskedLM"),
        TEXT_CLASSIFICATION("text-classification", "AutoModelForSequenceClassification"),
        FEATURE_EXTRACTION("feature-extraction", "AutoModel");

        private final String pipeline;
        private final String autoClass;

        Use(String pipeline, String autoClass) {
            this.pipeline = pipeline;
            this.autoClass = autoClass;
        }

        static Use of(Path config) throws IOException {
            if (!EncoderConfig.isEncoder(config)) {
                return TEXT_GENERATION;
            }
            return switch (EncoderConfig.read(config).head()) {
                case MASKED -> FILL_MASK;
                case LABELS -> TEXT_CLASSIFICATION;
                case NONE, BARE -> FEATURE_EXTRACTION;
            };
        }
    }

    /**
     * Writes the card; the companions must be in the directory already, for their licences.
     *
     * @param likeIt  directory whose {@code config.json} is of the same kind
     * @param event   with verdict and lineage
     * @param sources trained examples by source
     */
    public static void write(Path directory, Path likeIt, CheckpointEvent event, Map<String, Long> sources)
            throws IOException {
        Use use = Use.of(likeIt.resolve("config.json"));
        StringBuilder card = new StringBuilder();
        card.append("---\nlicense: ")
                .append(licence(directory))
                .append("\nlibrary_name: transformers\npipeline_tag: ")
                .append(use.pipeline)
                .append("\ntags: [tidemill]\n---\n\n# ")
                .append(event.getVersion())
                .append("\n\n")
                .append(origin(event))
                .append("\n\n- Parameters: ")
                .append(event.getParameters())
                .append("\n- Tokenizer: fingerprint `")
                .append(event.getTokenizerFingerprint())
                .append("`\n- State: ")
                .append(event.getState())
                .append(". ")
                .append(event.getReason())
                .append('\n');
        data(card, event, sources);
        figures(card, event);
        licences(card, directory);
        card.append(
                """

                ## Use

                ```python
                from transformers import %1$s, AutoTokenizer

                model = %1$s.from_pretrained("path/to/this/directory")
                tokenizer = AutoTokenizer.from_pretrained("path/to/this/directory")
                ```

                It says what its data makes likely, which may be wrong or unkind; judge it on your own task before relying on
                it.
                """
                        .formatted(use.autoClass));
        Durable.write(directory.resolve(FILE), card.toString());
    }

    private static String origin(CheckpointEvent event) {
        return event.getParent().isEmpty()
                ? "The base model that this lineage starts from."
                : "Made by round " + event.getLineage().getRound() + " of Tidemill from `" + event.getParent()
                        + "`, by continued training on a stream of text and human feedback.";
    }

    private static void data(StringBuilder card, CheckpointEvent event, Map<String, Long> sources) {
        if (event.getLineage().getExamplesCount() == 0) {
            return;
        }
        card.append("\n## Data of this round\n\n| what became of it | examples |\n|---|---:|\n");
        new TreeMap<>(event.getLineage().getExamplesMap())
                .forEach((stage, count) -> row(card, stage, Long.toString(count)));
        if (!sources.isEmpty()) {
            card.append("\n| source | examples trained |\n|---|---:|\n");
            sources.entrySet().stream()
                    .sorted(Map.Entry.<String, Long>comparingByValue()
                            .reversed()
                            .thenComparing(Map.Entry.comparingByKey()))
                    .limit(20)
                    .forEach(source ->
                            row(card, source.getKey(), source.getValue().toString()));
        }
    }

    private static void row(StringBuilder card, String name, String value) {
        card.append("| ")
                .append(name.replace("|", "\\|").replace('\n', ' '))
                .append(" | ")
                .append(value)
                .append(" |\n");
    }

    private static void figures(StringBuilder card, CheckpointEvent event) {
        if (event.getVerdict().getSuitesCount() == 0) {
            return;
        }
        card.append("\n## Figures on held-out examples\n\n")
                .append("| suite | compared with | before | this version | difference (95 %) | examples | rule |\n")
                .append("|---|---|---:|---:|---:|---:|---|\n");
        for (SuiteResult suite : event.getVerdict().getSuitesList()) {
            card.append(String.format(
                    Locale.ROOT,
                    "| %s, %s | %s | %.4f | %.4f | %+.4f (%+.4f to %+.4f) | %d | %s |\n",
                    suite.getSuite(),
                    suite.getUnit(),
                    suite.getAgainst().isEmpty() ? "parent" : suite.getAgainst(),
                    suite.getBefore(),
                    suite.getAfter(),
                    suite.getDifference(),
                    suite.getDifferenceLow(),
                    suite.getDifferenceHigh(),
                    suite.getExamples(),
                    suite.getRule()));
        }
    }

    private static void licences(StringBuilder card, Path directory) {
        card.append("\n## Licence\n\nThat of the base model");
        for (String file : new String[] {VersionFiles.BASE_CARD, "LICENSES.md", "LICENSE", "NOTICE"}) {
            if (Files.exists(directory.resolve(file))) {
                card.append(", see [").append(file).append("](").append(file).append(')');
            }
        }
        card.append("; the data of the rounds was given by whoever runs this Tidemill, under terms known to them.\n");
    }

    private static String licence(Path directory) throws IOException {
        Path base = directory.resolve(VersionFiles.BASE_CARD);
        if (Files.exists(base)) {
            Matcher matcher = LICENCE.matcher(Files.readString(base));
            if (matcher.find()) {
                return matcher.group(1).strip();
            }
        }
        return "other";
    }
}

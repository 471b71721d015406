package io.tidemill.trainer.offline.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.v1.Split;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.offline.data.Example.Origin;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Nearest;
import io.tidemill.trainer.offline.recipe.Recipe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Reads the data that a recipe names, in one of the formats that its stage understands. */
public final class DataReader {
    private final Recipe recipe;
    private final List<Format> accepted;
    private final Mistakes mistakes;
    private final MessageDigest digest;
    private final Map<String, Integer> sourcesOfName = new HashMap<>();

    /**
     * @param accepted formats in the order in which they are tried
     * @param mistakes gets what is wrong with single examples
     */
    public DataReader(Recipe recipe, List<Format> accepted, Mistakes mistakes) {
        this.recipe = recipe;
        this.accepted = List.copyOf(accepted);
        this.mistakes = mistakes;
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }

    /**
     * What was read.
     *
     * @param evaluation empty where none was asked for
     * @param digest     SHA-256 over all records, in order; hex
     */
    public record Data(List<Example> training, List<Example> evaluation, String digest) {
        public Data {
            training = List.copyOf(training);
            evaluation = List.copyOf(evaluation);
        }
    }

    /**
     * Reads everything.
     *
     * @throws DataException where a source is not there, has other columns, or nothing is left
     */
    public Data read() throws IOException {
        List<Example> training = new ArrayList<>();
        for (String name : recipe.get(Keys.TRAIN_DATA)) {
            readInto(training, source(name, false));
        }
        List<Example> evaluation = new ArrayList<>();
        for (String name : recipe.find(Keys.EVAL_DATA).orElse(List.of())) {
            readInto(evaluation, source(name, true));
        }
        double share = recipe.get(Keys.EVAL_SPLIT);
        if (share > 0) {
            SplitFunction split = new SplitFunction(recipe.get(Keys.SPLIT_SALT), share);
            Map<Boolean, List<Example>> sides = training.stream()
                    .collect(Collectors.partitioningBy(
                            example -> split.of(example.origin().group()) == Split.HELD_OUT));
            evaluation.addAll(sides.get(true));
            training = sides.get(false);
        }
        training = first(training, recipe.find(Keys.MAX_EXAMPLES));
        evaluation = first(evaluation, recipe.find(Keys.MAX_EVAL_EXAMPLES));
        return new Data(training, evaluation, HexFormat.of().formatHex(digest.digest()));
    }

    private List<Example> first(List<Example> examples, Optional<Long> most) {
        return most.filter(count -> count < examples.size())
                .map(count -> new ExampleOrder(recipe.get(Keys.SEED))
                        .first(count.intValue(), examples, example -> example.origin()
                                .id()))
                .orElse(examples);
    }

    private Source source(String name, boolean evaluation) {
        if (name.startsWith(BuiltinSource.SCHEME)) {
            return new BuiltinSource(name.substring(BuiltinSource.SCHEME.length()));
        }
        if (name.startsWith(TopicSource.SCHEME)) {
            return new TopicSource(
                    name.substring(TopicSource.SCHEME.length()),
                    recipe.get(Keys.BOOTSTRAP_SERVERS),
                    recipe.find(Keys.TOPIC_OFFSETS).orElse(""),
                    recipe.find(Keys.TOPIC_LIMIT).map(OptionalLong::of).orElse(OptionalLong.empty()),
                    evaluation);
        }
        Path file = Path.of(name);
        if (!Files.isRegularFile(file)) {
            throw new DataException(
                    "There is no data file " + name + (Files.isDirectory(file) ? "; it is a directory" : "")
                            + ". Name .jsonl, .json, .csv, .tsv or .txt files, 'kafka:TOPIC' or 'builtin:NAME'.");
        }
        return switch (format(name)) {
            case "jsonl" -> new JsonSource(name, file, true);
            case "json" -> new JsonSource(name, file, false);
            case "csv" -> new CsvSource(name, file, ',');
            case "tsv" -> new CsvSource(name, file, '\t');
            default -> new TextSource(name, file, TextSource.Unit.named(recipe.get(Keys.TEXT_UNIT)));
        };
    }

    private String format(String name) {
        String said = recipe.get(Keys.DATA_FORMAT);
        if (!said.equals("auto")) {
            return said;
        }
        String end = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return switch (end) {
            case "jsonl", "ndjson" -> "jsonl";
            case "json", "csv", "tsv" -> end;
            case "txt", "text", "md" -> "text";
            default ->
                throw new DataException("The end of " + name
                        + " does not say what it holds; say so with --data-format jsonl, json, csv, tsv or text.");
        };
    }

    private void readInto(List<Example> examples, Source source) throws IOException {
        Map<String, String> columns = recipe.get(Keys.COLUMNS);
        String file = source.name().substring(source.name().lastIndexOf('/') + 1);
        String prefix = sourcesOfName.merge(file, 1, Integer::sum) == 1 ? file : file + "#" + sourcesOfName.get(file);
        boolean mixed = source instanceof TopicSource;
        Format[] format = new Format[1]; // told by the first record
        source.read(
                row -> {
                    if (format[0] == null || mixed) {
                        checkColumns(row, columns, source);
                        Optional<Format> found = formatOf(row.renamed(columns));
                        if (found.isEmpty() && mixed) {
                            return; // a record of another kind, such as a single rating among pairs
                        }
                        format[0] = found.orElseThrow(() -> unknownColumns(row, columns, source));
                    }
                    add(examples, row, row.renamed(columns), format[0], prefix);
                },
                mistakes);
    }

    private void add(List<Example> examples, Row row, Row renamed, Format format, String prefix) {
        String id =
                prefix + (row.place().toString().substring(row.place().source().length()));
        if (!row.place().source().isEmpty() && prefix.startsWith(TopicSource.SCHEME)) {
            id = row.place().toString();
        }
        digest.update((id + "\n" + renamed.fields() + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            examples.add(format.read(new Origin(id, row.place(), group(renamed)), new Fields(renamed.fields())));
        } catch (Mistake mistake) {
            mistakes.add(row.place(), mistake);
        }
    }

    /** {@code group_id}, or what examples that must not be parted have in common: the prompt, or all of it. */
    private static String group(Row row) {
        for (String column : List.of("group_id", "prompt", "instruction", "text")) {
            JsonNode node = row.fields().get(column);
            if (node != null && !node.isNull()) {
                return node.isTextual() ? node.textValue() : node.toString();
            }
        }
        return row.fields().toString();
    }

    private Optional<Format> formatOf(Row row) {
        List<String> there = row.columns();
        return accepted.stream()
                .filter(format -> there.containsAll(format.columns()))
                .findFirst();
    }

    private void checkColumns(Row row, Map<String, String> columns, Source source) {
        columns.forEach((role, column) -> {
            if (!row.fields().has(column)) {
                throw new DataException("columns says that " + role + " is in '" + column + "', but " + source.name()
                        + " has " + row.columns()
                        + Nearest.to(column, row.columns())
                                .map(nearest -> "; did you mean '" + nearest + "'?")
                                .orElse("."));
            }
        });
    }

    private DataException unknownColumns(Row row, Map<String, String> columns, Source source) {
        String wanted = accepted.stream()
                .map(format -> String.join(" + ", format.columns()))
                .collect(Collectors.joining(", or "));
        String needed = accepted.stream()
                .flatMap(format -> format.columns().stream())
                .filter(column -> !row.renamed(columns).columns().contains(column))
                .findFirst()
                .orElse("text");
        return new DataException(row.place() + ": stage " + recipe.get(Keys.STAGE) + " needs the columns " + wanted
                + "; there are " + new TreeSet<>(row.columns()) + ". Say which is which, as in columns: {" + needed
                + ": "
                + row.columns().stream().findFirst().orElse("…") + "}.");
    }
}

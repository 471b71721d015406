package io.tidemill.auditor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.util.JsonFormat;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.KeptRecord;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.TokenSequence;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/** The files of a model's versions, read by their written form. A trainer may be writing beside it. */
final class Store {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path root;

    /** @param root directory of the model in the store */
    Store(Path root) {
        this.root = root;
    }

    /** A version's {@code manifest.json}: the event before it was announced, what it passed over, and its own digest. */
    record Manifest(CheckpointEvent event, List<Span> quarantined, String sha256, long length) {}

    /** One line of a ledger. */
    record Line(String stage, String exampleId) {}

    /** Where a record lies that a stop before damage took out of a round. */
    record Removed(TopicPartition partition, long offset) {}

    /** Empty where the store has no such version. */
    Optional<Manifest> manifest(String version) {
        Path file = root.resolve(version).resolve("manifest.json");
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            byte[] bytes = Files.readAllBytes(file);
            JsonNode json = JSON.readTree(bytes);
            CheckpointEvent.Builder event = CheckpointEvent.newBuilder();
            JsonFormat.parser()
                    .ignoringUnknownFields()
                    .merge(json.path("checkpoint").toString(), event);
            List<Span> quarantined = new ArrayList<>();
            for (JsonNode range : json.path("quarantined")) {
                quarantined.add(new Span(
                        new TopicPartition(
                                range.path("topic").asText(),
                                range.path("partition").asInt()),
                        range.path("from").asLong(),
                        range.path("to").asLong()));
            }
            String sha256 = HexFormat.of().formatHex(Hash.sha256(bytes));
            return Optional.of(new Manifest(event.build(), quarantined, sha256, bytes.length));
        } catch (IOException e) {
            throw new AuditException("The manifest " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** {@code state/examples.tsv}; false where there is none. */
    boolean examples(String version, Consumer<Line> reader) {
        return ledger(version, "examples.tsv", reader);
    }

    /** {@code state/replayed.tsv}: what was taught once more. */
    boolean replayed(String version, Consumer<Line> reader) {
        return ledger(version, "replayed.tsv", reader);
    }

    private boolean ledger(String version, String name, Consumer<Line> reader) {
        return lines(version, name, line -> {
            int tab = line.indexOf('\t');
            if (tab > 0) {
                reader.accept(new Line(line.substring(0, tab), unescaped(line.substring(tab + 1))));
            }
        });
    }

    /** {@code state/quarantined.tsv}. */
    boolean removed(String version, Consumer<Removed> reader) {
        return lines(version, "quarantined.tsv", line -> {
            String[] parts = line.split("\t", 4);
            if (parts.length >= 3) {
                reader.accept(new Removed(
                        new TopicPartition(parts[0], Integer.parseInt(parts[1])), Long.parseLong(parts[2])));
            }
        });
    }

    private boolean lines(String version, String name, Consumer<String> reader) {
        Path file = root.resolve(version).resolve("state").resolve(name);
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (Stream<String> lines = Files.lines(file)) {
            lines.filter(line -> !line.isEmpty()).forEach(reader);
            return true;
        } catch (IOException | UncheckedIOException | NumberFormatException e) {
            throw new AuditException("The ledger " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static String unescaped(String text) {
        return text.translateEscapes();
    }

    /** Sequences of the gate's held-out suite, where the version still has them. */
    void heldOutSequences(String version, Consumer<TokenSequence> reader) {
        messages(version, "held-out-sequences.binpb", TokenSequence.parser(), reader);
    }

    /** Pairs of the gate's held-out suite, where the version still has them. */
    void heldOutPairs(String version, Consumer<Preference> reader) {
        messages(version, "held-out-pairs.binpb", Preference.parser(), reader);
    }

    /** Records of the version's slice, where the version still has them. */
    void keptRecords(String version, Consumer<KeptRecord> reader) {
        messages(version, "slice.binpb", KeptRecord.parser(), reader);
    }

    private <M extends Message> void messages(String version, String name, Parser<M> parser, Consumer<M> reader) {
        Path file = root.resolve(version).resolve("state").resolve(name);
        if (!Files.isRegularFile(file)) {
            return;
        }
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            for (M message = parser.parseDelimitedFrom(in); message != null; message = parser.parseDelimitedFrom(in)) {
                reader.accept(message);
            }
        } catch (IOException e) {
            throw new AuditException("The examples in " + file + " cannot be read: " + e.getMessage(), e);
        }
    }
}

package io.tidemill.preprocess.tokenize;

import static io.tidemill.preprocess.outcome.Flow.passed;
import static io.tidemill.preprocess.outcome.Flow.refused;

import com.google.protobuf.Message;
import io.tidemill.preprocess.outcome.Erased;
import io.tidemill.preprocess.outcome.Flow;
import io.tidemill.preprocess.outcome.Outcome;
import io.tidemill.preprocess.outcome.Outcomes;
import io.tidemill.preprocess.outcome.ParseProcessor;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.ProtoSerde;
import io.tidemill.proto.Readers;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.TokenSequence;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;

/**
 * Text to token sequences.
 *
 * <pre>
 * documents ────── parse ─┐
 * demonstrations ─ parse ─┼─[by-id]─ revise ─[by-content]─ deduplicate ─ tokenize ── token-sequences.&lt;fingerprint&gt;
 * preferences ──── parse ─┘            │                        │           │
 *                    └─────────────────┴────────────────────────┴───────────┴─────── rejected
 *
 * [name]       a repartition topic, as many partitions as the catalogue gives documents
 * revise       normalise, screen, drop what came before under the same id (store: revisions)
 * deduplicate  drop what came before under another id (store: contents)
 * preferences  those of origin CORRECTION: prompt and corrected answer are a demonstration
 *
 * What is erased ends at the next stage that sees it, and of it rejected gets the id alone. Stores have hashes and ids.
 * </pre>
 *
 * <p>A restart repeats what was not committed, and nothing is lost or doubled. What may come twice: a content or an id
 * that the stores have forgotten by age or number.
 */
public final class TokenizeTopology {
    private final TopicCatalogue catalogue;
    private final Tokenization tokenization;
    private final TokenizeSettings settings;
    private final Erased erased;
    private final Outcomes outcomes;

    /** @param erased what is to be forgotten; grows while the topology runs */
    public TokenizeTopology(
            TopicCatalogue catalogue,
            Tokenization tokenization,
            TokenizeSettings settings,
            ErasureSet erased,
            Outcomes outcomes) {
        this.catalogue = catalogue;
        this.tokenization = tokenization;
        this.settings = settings;
        this.erased = new Erased(erased, outcomes);
        this.outcomes = outcomes;
    }

    /** Application id: a tokenizer's sequences are a cache of its own, so another tokenizer is another application. */
    public String applicationId() {
        return catalogue.prefix() + "tokenize." + tokenization.fingerprint();
    }

    /** What it reads and writes. */
    public List<Topic> topics() {
        return List.of(
                catalogue.documents(),
                catalogue.demonstrations(),
                catalogue.preferences(),
                catalogue.erasures(),
                catalogue.rejected(),
                catalogue.tokenSequences(tokenization.fingerprint()));
    }

    public Topology build() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Flow.store(ReviseProcessor.STORE));
        builder.addStateStore(Flow.store(DeduplicateProcessor.STORE));

        // Bytes in, a message under its own id out; what is refused here has only the hash of its bytes.
        KStream<String, Outcome<Material>> parsed = parse(
                        builder, catalogue.documents(), "documents", Readers.documents(), Material.PlainText::of)
                .merge(
                        parse(
                                builder,
                                catalogue.demonstrations(),
                                "demonstrations",
                                Readers.demonstrations(),
                                Material.Demonstrated::of),
                        Named.as("and-demonstrations"))
                .merge(
                        parse(
                                builder,
                                catalogue.preferences(),
                                "preferences",
                                Readers.preferences(),
                                Material.CorrectedAnswer::of),
                        Named.as("and-corrections"));

        KStream<String, Outcome<Material>> revised = passed(parsed, "parse")
                .repartition(repartitioned("by-id"))
                .process(
                        () -> new ReviseProcessor(settings, erased, outcomes),
                        Named.as("revise"),
                        ReviseProcessor.STORE);

        KStream<String, Outcome<Material>> unique = passed(revised, "revise")
                .repartition(repartitioned("by-content"))
                .process(
                        () -> new DeduplicateProcessor(settings, outcomes),
                        Named.as("deduplicate"),
                        DeduplicateProcessor.STORE);

        KStream<String, Outcome<TokenSequence>> tokenized = passed(unique, "deduplicate")
                .process(() -> new TokenizeProcessor(tokenization, settings, erased, outcomes), Named.as("tokenize"));
        passed(tokenized, "tokenize")
                .to(
                        catalogue.tokenSequences(tokenization.fingerprint()).name(),
                        Produced.with(Serdes.String(), ProtoSerde.of(TokenSequence.getDefaultInstance()))
                                .withName("token-sequences"));

        Flow.toRejected(
                refused(parsed, "parse")
                        .merge(refused(revised, "revise"), Named.as("and-refused-revise"))
                        .merge(refused(unique, "deduplicate"), Named.as("and-refused-deduplicate"))
                        .merge(refused(tokenized, "tokenize"), Named.as("and-refused-tokenize")),
                catalogue.rejected().name());
        return builder.build();
    }

    private <M extends Message> KStream<String, Outcome<Material>> parse(
            StreamsBuilder builder, Topic topic, String name, RecordReader<M> reader, Function<M, Material> wrap) {
        return builder.stream(
                        topic.name(),
                        Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()).withName(name))
                .process(
                        () -> new ParseProcessor<>(
                                reader, wrap, Material::id, TopicCatalogue.MAX_SOURCE_RECORD_BYTES, erased, outcomes),
                        Named.as("parse-" + name));
    }

    private Repartitioned<String, Material> repartitioned(String name) {
        return Repartitioned.<String, Material>as(name)
                .withKeySerde(Serdes.String())
                .withValueSerde(Material.serde())
                .withNumberOfPartitions(catalogue.documents().partitions());
    }
}

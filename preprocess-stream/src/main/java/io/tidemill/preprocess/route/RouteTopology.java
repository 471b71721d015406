package io.tidemill.preprocess.route;

import static io.tidemill.preprocess.outcome.Flow.passed;
import static io.tidemill.preprocess.outcome.Flow.refused;

import com.google.protobuf.Message;
import io.tidemill.preprocess.outcome.Erased;
import io.tidemill.preprocess.outcome.Flow;
import io.tidemill.preprocess.outcome.Outcome;
import io.tidemill.preprocess.outcome.Outcomes;
import io.tidemill.preprocess.outcome.ParseProcessor;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Ids;
import io.tidemill.proto.ProtoSerde;
import io.tidemill.proto.Readers;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Preference;
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
 * Feedback to preferences.
 *
 * <pre>
 * completions ─ parse ─┬─[by-turn]─ join ─┬──────────────────────────────────┬── preferences
 * feedback ──── parse ─┘             │    └─ rated ─[by-prompt]─ pair-ratings ┘
 * prompts ───── parse                │
 *                 └──────────────────┴────── rejected
 *
 * [name]        a repartition topic, as many partitions as the catalogue gives feedback
 * join          completions of a turn, feedback that waits, the newest of each rater (store: turns)
 * pair-ratings  an answer rated up and one rated down to the same prompt (store: open-ratings)
 * </pre>
 *
 * <p>Prompts are only looked at: the trainer reads them from their own topic, and what is none is refused here.
 *
 * <p>What is erased ends at the next stage that sees it, of it {@code rejected} gets the id alone, and the stores lose
 * within {@value JoinProcessor#SWEEP_SECONDS} to {@value PairRatingsProcessor#SWEEP_SECONDS} s what they have of it.
 *
 * <p>Comparison and correction become pairs, thumb and stars scored completions. A restart repeats what was not
 * committed, and nothing is lost or doubled.
 */
public final class RouteTopology {
    private final TopicCatalogue catalogue;
    private final RouteSettings settings;
    private final Erased erased;
    private final Outcomes outcomes;

    /** @param erased what is to be forgotten; grows while the topology runs */
    public RouteTopology(TopicCatalogue catalogue, RouteSettings settings, ErasureSet erased, Outcomes outcomes) {
        this.erased = new Erased(erased, outcomes);
        this.catalogue = catalogue;
        this.settings = settings;
        this.outcomes = outcomes;
    }

    public String applicationId() {
        return catalogue.prefix() + "route";
    }

    /** What it reads and writes. */
    public List<Topic> topics() {
        return List.of(
                catalogue.completions(),
                catalogue.feedback(),
                catalogue.prompts(),
                catalogue.erasures(),
                catalogue.preferences(),
                catalogue.rejected());
    }

    public Topology build() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Flow.store(JoinProcessor.STORE));
        builder.addStateStore(Flow.store(PairRatingsProcessor.STORE));

        KStream<String, Outcome<TurnEvent>> parsed = parse(
                        builder, catalogue.completions(), "completions", Readers.completions(), TurnEvent.Shown::new)
                .merge(
                        parse(builder, catalogue.feedback(), "feedback", Readers.feedback(), RouteTopology::said),
                        Named.as("and-feedback"))
                .merge(
                        parse(builder, catalogue.prompts(), "prompts", Readers.prompts(), prompt -> null),
                        Named.as("and-prompts"));

        KStream<String, Outcome<Preference>> joined = passed(parsed, "parse")
                .repartition(Repartitioned.<String, TurnEvent>as("by-turn")
                        .withKeySerde(Serdes.String())
                        .withValueSerde(TurnEvent.serde())
                        .withNumberOfPartitions(catalogue.feedback().partitions()))
                .process(() -> new JoinProcessor(settings, erased, outcomes), Named.as("join"), JoinProcessor.STORE);
        KStream<String, Preference> preferences = passed(joined, "join");

        // A rating counts by itself, and once more where the same prompt has its opposite.
        KStream<String, Preference> pairs = preferences
                .filter(
                        (turn, preference) -> preference.hasScored() || preference.getWithdrawnCount() > 0,
                        Named.as("rated"))
                .selectKey((turn, preference) -> Ids.turnHash(preference.getMessagesList()), Named.as("key-by-prompt"))
                .repartition(Repartitioned.<String, Preference>as("by-prompt")
                        .withKeySerde(Serdes.String())
                        .withValueSerde(ProtoSerde.of(Preference.getDefaultInstance()))
                        .withNumberOfPartitions(catalogue.feedback().partitions()))
                .process(
                        () -> new PairRatingsProcessor(settings, erased.set(), outcomes),
                        Named.as("pair-ratings"),
                        PairRatingsProcessor.STORE);

        preferences
                .merge(pairs, Named.as("and-pairs-of-ratings"))
                .to(
                        catalogue.preferences().name(),
                        Produced.with(Serdes.String(), ProtoSerde.of(Preference.getDefaultInstance()))
                                .withName("preferences"));
        Flow.toRejected(
                refused(parsed, "parse").merge(refused(joined, "join"), Named.as("and-refused-join")),
                catalogue.rejected().name());
        return builder.build();
    }

    /** A plain client need not make ids: the same words without one are the same event. */
    private static TurnEvent said(Feedback feedback) {
        return new TurnEvent.Said(
                feedback.getFeedbackId().isEmpty()
                        ? feedback.toBuilder()
                                .setFeedbackId(Ids.contentHash(feedback.toByteArray()))
                                .build()
                        : feedback);
    }

    private <M extends Message> KStream<String, Outcome<TurnEvent>> parse(
            StreamsBuilder builder, Topic topic, String name, RecordReader<M> reader, Function<M, TurnEvent> wrap) {
        return builder.stream(
                        topic.name(),
                        Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()).withName(name))
                .process(
                        () -> new ParseProcessor<>(
                                reader,
                                wrap,
                                TurnEvent::turn,
                                TopicCatalogue.MAX_SOURCE_RECORD_BYTES,
                                erased,
                                outcomes),
                        Named.as("parse-" + name));
    }
}

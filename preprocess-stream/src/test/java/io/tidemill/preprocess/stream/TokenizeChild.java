package io.tidemill.preprocess.stream;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tidemill.preprocess.outcome.Outcome;
import io.tidemill.preprocess.outcome.Outcomes;
import io.tidemill.preprocess.state.Limits;
import io.tidemill.preprocess.tokenize.LettersTokenization;
import io.tidemill.preprocess.tokenize.TokenizeSettings;
import io.tidemill.preprocess.tokenize.TokenizeTopology;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.TopicCatalogue;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * The tokenize application in a JVM of its own, which a test may lose.
 *
 * <p>Arguments: bootstrap servers, topic prefix, state directory, and how many records to let through before it halts
 * in the middle of a transaction with its stores flushed; 0 runs until standard input ends and then closes in order.
 */
public final class TokenizeChild {
    static final int HALTED = 9;

    private TokenizeChild() {}

    public static void main(String[] arguments) throws Exception {
        TopicCatalogue catalogue = new TopicCatalogue(arguments[1]);
        int haltAfter = Integer.parseInt(arguments[3]);
        TokenizeTopology tokenize = new TokenizeTopology(
                catalogue,
                new LettersTokenization(),
                new TokenizeSettings(
                        1_000, new Limits(Duration.ofDays(30), 100_000), new SplitFunction("tidemill", 0.05)),
                ErasureSet.none(),
                new Outcomes(new SimpleMeterRegistry()));
        StreamsSettings settings = new StreamsSettings(
                arguments[0],
                Path.of(arguments[2]),
                "child",
                1,
                haltAfter > 0 ? Duration.ofSeconds(4) : Duration.ofMillis(100),
                TopicCatalogue.MAX_SOURCE_RECORD_BYTES + TopicCatalogue.REJECTED_FRAME_BYTES,
                16 << 20,
                1);
        StreamsApplication application = new StreamsApplication(
                tokenize.applicationId(),
                () -> haltAfter > 0 ? haltingAfter(haltAfter, tokenize.build()) : tokenize.build(),
                catalogue,
                tokenize.topics(),
                settings,
                operator -> System.exit(3));
        application.start();
        while (System.in.read() >= 0) {
            // runs on until the parent closes the pipe
        }
        application.close();
    }

    /**
     * Halts when the de-duplication has let so many through, all stores flushed to disk. Records cross a repartition
     * topic only with a commit, so commits are seldom instead of never: what halts is in the middle of one.
     */
    private static Topology haltingAfter(int records, Topology topology) {
        List<StateStore> stores = new ArrayList<>();
        AtomicInteger unique = new AtomicInteger();
        topology.addProcessor("watch-revisions", () -> new Watcher("revisions", stores, () -> {}), "revise");
        topology.connectProcessorAndStateStores("watch-revisions", "revisions");
        Runnable count = () -> {
            if (unique.incrementAndGet() == records) {
                stores.forEach(StateStore::flush);
                Runtime.getRuntime().halt(HALTED);
            }
        };
        topology.addProcessor("watch-contents", () -> new Watcher("contents", stores, count), "deduplicate");
        topology.connectProcessorAndStateStores("watch-contents", "contents");
        return topology;
    }

    private static final class Watcher implements Processor<String, Outcome<?>, Void, Void> {
        private final String name;
        private final List<StateStore> stores;
        private final Runnable then;

        private Watcher(String name, List<StateStore> stores, Runnable then) {
            this.name = name;
            this.stores = stores;
            this.then = then;
        }

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            StateStore store = context.getStateStore(name);
            stores.add(store);
        }

        @Override
        public void process(Record<String, Outcome<?>> record) {
            then.run();
        }
    }
}

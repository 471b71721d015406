package io.tidemill.preprocess;

import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.tidemill.preprocess.outcome.Outcomes;
import io.tidemill.preprocess.route.AssuranceTrust;
import io.tidemill.preprocess.route.RouteSettings;
import io.tidemill.preprocess.route.RouteTopology;
import io.tidemill.preprocess.state.Limits;
import io.tidemill.preprocess.stream.Failures;
import io.tidemill.preprocess.stream.StreamsApplication;
import io.tidemill.preprocess.stream.StreamsSettings;
import io.tidemill.preprocess.tokenize.ModelTokenization;
import io.tidemill.preprocess.tokenize.Tokenization;
import io.tidemill.preprocess.tokenize.TokenizeSettings;
import io.tidemill.preprocess.tokenize.TokenizeTopology;
import io.tidemill.preprocess.tokenize.TokenizerFollower;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Readers;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.TopicTail;
import io.tidemill.proto.checkpoint.CheckpointClient;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Erasure;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.streams.Topology;
import org.jboss.logging.Logger;

/**
 * Builds the service of its parts, starts it with Quarkus and stops it before Quarkus ends. A broker or a store that is
 * away is waited for: the service starts without them.
 */
@ApplicationScoped
public class PreprocessWiring {
    private static final Logger LOG = Logger.getLogger(PreprocessWiring.class);
    private static final Set<String> TOKENIZER_FILES = Set.of(
            "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "config.json");
    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final Duration ERASURES_WAIT = Duration.ofSeconds(5);

    private final PreprocessConfig config;
    private final Outcomes outcomes;
    private final TopicCatalogue catalogue;
    private final SplitFunction split;
    private final CheckpointClient store;
    private final ErasureSet erased = ErasureSet.none();
    private final TopicTail<Erasure> erasures;
    private final StreamsApplication route;
    private final TokenizerFollower<StreamsApplication> tokenize;
    private final TopicTail<CheckpointEvent> checkpoints;

    PreprocessWiring(PreprocessConfig config, MeterRegistry meters) {
        this.config = config;
        this.outcomes = new Outcomes(meters);
        this.catalogue = new TopicCatalogue(config.topicPrefix());
        this.split = new SplitFunction(config.split().salt(), config.split().heldOutShare());
        this.store = new CheckpointClient(
                HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build(), config.storeUrl());
        this.erasures = new TopicTail<>(
                Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, config.bootstrapServers()),
                catalogue.erasures(),
                Readers.erasures(),
                erased::add);
        this.route = route();
        this.tokenize = new TokenizerFollower<>(config.model(), this::load, this::startTokenize, RETRY);
        this.checkpoints = new TopicTail<>(
                Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, config.bootstrapServers()),
                catalogue.checkpoints(),
                Readers.checkpoints(),
                tokenize::announced);
    }

    void start(@Observes StartupEvent event) {
        LOG.infof(
                "preprocess bootstrap_servers=%s topic_prefix=%s model=%s data=%s",
                config.bootstrapServers(), config.topicPrefix(), config.model(), config.data());
        route.start();
        erasures.start();
        checkpoints.start();
        var unused = checkpoints.firstCaughtUp().thenRun(tokenize::caughtUp);
    }

    void stop(@Observes ShutdownEvent event) {
        checkpoints.close();
        erasures.close();
        Thread closing = new Thread(tokenize::close, "close-tokenize");
        closing.start();
        try {
            route.close();
        } catch (IllegalStateException e) {
            LOG.warn(e.getMessage());
        }
        try {
            closing.join(StreamsApplication.CLOSE_LIMIT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    Outcomes outcomes() {
        return outcomes;
    }

    StreamsApplication routeApplication() {
        return route;
    }

    TokenizerFollower<StreamsApplication> tokenizer() {
        return tokenize;
    }

    /** Whether both applications take records. */
    boolean isReady() {
        Optional<TokenizerFollower.Running<StreamsApplication>> running = tokenize.running();
        return route.isRunning()
                && running.isPresent()
                && running.get().application().isRunning();
    }

    private StreamsApplication route() {
        PreprocessConfig.Trust trust = config.trust();
        RouteTopology topology = new RouteTopology(
                catalogue,
                new RouteSettings(
                        new Limits(config.feedbackWait(), config.maxWaitingFeedback()),
                        new Limits(config.completionRetention(), config.maxCompletions()),
                        new AssuranceTrust(trust.apiKey(), trust.loopback(), trust.broker(), trust.unspecified()),
                        split),
                erased,
                outcomes);
        // The tail of checkpoints needs its topic as well.
        List<Topic> topics = new ArrayList<>(topology.topics());
        topics.add(catalogue.checkpoints());
        return new StreamsApplication(
                topology.applicationId(),
                knowingErasures(topology::build),
                catalogue,
                topics,
                streamsSettings(),
                failures("route"));
    }

    /** Nothing is processed before it is known what is to be forgotten. */
    private Supplier<Topology> knowingErasures(Supplier<Topology> topology) {
        return () -> {
            try {
                erasures.firstCaughtUp().get(ERASURES_WAIT.toSeconds(), TimeUnit.SECONDS);
                return topology.get();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("it was interrupted while the erasures were read", e);
            } catch (ExecutionException | TimeoutException e) {
                throw new IllegalStateException("the erasures could not be read yet", e);
            }
        };
    }

    private Tokenization load(CheckpointEvent event) throws IOException {
        Path directory = store.download(event, config.data().resolve("tokenizers"), TOKENIZER_FILES::contains);
        return ModelTokenization.load(directory);
    }

    private StreamsApplication startTokenize(Tokenization tokenization) {
        TokenizeTopology topology = new TokenizeTopology(
                catalogue,
                tokenization,
                new TokenizeSettings(
                        config.maxDocumentCharacters(),
                        new Limits(
                                config.deduplication().retention(),
                                config.deduplication().maxEntries()),
                        split),
                erased,
                outcomes);
        StreamsApplication application = new StreamsApplication(
                topology.applicationId(),
                knowingErasures(topology::build),
                catalogue,
                topology.topics(),
                streamsSettings(),
                failures("tokenize"));
        application.start();
        return application;
    }

    private Failures failures(String application) {
        return operator -> outcomes.count(application + "/" + operator, "failed");
    }

    private StreamsSettings streamsSettings() {
        return new StreamsSettings(
                config.bootstrapServers(),
                config.data().resolve("streams"),
                config.instanceId(),
                config.threads(),
                config.commitInterval(),
                TopicCatalogue.MAX_SOURCE_RECORD_BYTES + TopicCatalogue.REJECTED_FRAME_BYTES,
                config.storeMemoryBytes(),
                config.replicationFactor());
    }
}

package io.tidemill.feedback;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.tidemill.feedback.access.AccessFilter;
import io.tidemill.feedback.access.ApiKeys;
import io.tidemill.feedback.access.Authenticator;
import io.tidemill.feedback.access.Binding;
import io.tidemill.feedback.access.LoopbackAuthenticator;
import io.tidemill.feedback.answer.EngineLoader;
import io.tidemill.feedback.gateway.GatewayRoutes;
import io.tidemill.feedback.gateway.Gateways;
import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.log.KafkaLink;
import io.tidemill.feedback.loop.Activity;
import io.tidemill.feedback.loop.Freshness;
import io.tidemill.feedback.loop.LoopEvents;
import io.tidemill.feedback.loop.LoopView;
import io.tidemill.feedback.loop.RecentCompletions;
import io.tidemill.feedback.rating.CommandLog;
import io.tidemill.feedback.rating.Intake;
import io.tidemill.feedback.serving.AnswerQueue;
import io.tidemill.feedback.serving.ModelFollower;
import io.tidemill.feedback.serving.ServedModel;
import io.tidemill.feedback.serving.VersionLedger;
import io.tidemill.feedback.web.UnknownPath;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Readers;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.TopicTail;
import io.tidemill.proto.checkpoint.CheckpointClient;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.RoundEvent;
import io.vertx.ext.web.Router;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Puts the service together, starts and stops it. The only class that knows both the parts and Quarkus. */
@Singleton
public class FeedbackWiring {
    private static final int REMEMBERED_COMPLETIONS = 20_000;

    private final FeedbackConfig config;
    private final Authenticator authenticator;
    private final AccessFilter access;
    private final TopicCatalogue topics;
    private final KafkaLink kafka;
    private final EventLog log;
    private final ServedModel served;
    private final AnswerQueue queue;
    private final ModelFollower follower;
    private final Runnable knowVersions;
    private final TopicTail<CheckpointEvent> checkpoints;
    private final TopicTail<RoundEvent> rounds;
    private final TopicTail<Erasure> erasures;
    private final RecentCompletions recent = new RecentCompletions(REMEMBERED_COMPLETIONS);
    private final LoopEvents events = new LoopEvents();
    private final LoopView view;
    private final GatewayRoutes gateway;
    private final Intake intake;
    private final CommandLog commands;

    FeedbackWiring(
            FeedbackConfig config,
            EngineLoader loader,
            MeterRegistry metrics,
            @ConfigProperty(name = "quarkus.http.host") String host) {
        this.config = config;
        boolean keys = config.authentication() == FeedbackConfig.Authentication.API_KEY;
        Binding.check(host, keys);
        Clock clock = Clock.systemUTC();
        SecureRandom random = new SecureRandom();
        this.authenticator = keys ? apiKeys(random, clock) : new LoopbackAuthenticator();
        Set<String> hosts = new HashSet<>(config.allowedHosts().orElse(List.of()));
        this.access = new AccessFilter(authenticator, Binding.isLoopback(host), hosts);

        this.served = new ServedModel(config.standby());
        this.topics = new TopicCatalogue(config.topicPrefix());
        Activity activity = new Activity(metrics, clock, events::changed);
        this.kafka = new KafkaLink(
                config.bootstrapServers(),
                config.brokerTimeout(),
                topics,
                List.of(
                        topics.completions(),
                        topics.feedback(),
                        topics.commands(),
                        topics.checkpoints(),
                        topics.erasures(),
                        topics.rounds()),
                config.replicationFactor(),
                activity::failed);
        this.log = new EventLog(kafka::producer, config.brokerTimeout(), events::changed);

        VersionLedger ledger = new VersionLedger(config.model());
        HttpClient http =
                HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
        CheckpointClient client = new CheckpointClient(http, config.storeUrl());
        Path directory = config.data().resolve("served").resolve(config.model());
        Freshness freshness = new Freshness(metrics);
        this.knowVersions = () -> freshness.known(ledger.versions());
        this.follower = new ModelFollower(
                ledger,
                (event, parent) -> client.download(event, parent, path -> true),
                loader,
                served,
                directory,
                clock,
                version -> freshness.serves(version, clock.instant()),
                events::changed);
        this.queue = new AnswerQueue(config.generators(), config.maximumWaiting());
        this.view = new LoopView(config.model(), ledger, follower::status, queue, activity, log, clock.instant());
        this.checkpoints =
                new TopicTail<>(kafka.clientSettings(), topics.checkpoints(), Readers.checkpoints(), event -> {
                    ledger.apply(event);
                    follower.wake();
                    events.changed();
                });
        this.rounds = new TopicTail<>(kafka.clientSettings(), topics.rounds(), Readers.rounds(), event -> {
            view.round(event);
            events.changed();
        });
        ErasureSet erased = ErasureSet.none();
        this.erasures = new TopicTail<>(kafka.clientSettings(), topics.erasures(), Readers.erasures(), erased::add);
        this.gateway = Gateways.routes(
                config.model(),
                config.defaultMaxTokens(),
                config.maximumRecordBytes(),
                config.captureTimeout(),
                topics.completions(),
                erased,
                log,
                served,
                queue,
                recent,
                activity,
                clock,
                random);
        this.intake = new Intake(log, topics.feedback(), activity, clock);
        this.commands = new CommandLog(log, topics.commands(), config.model(), activity, clock);
        Gauge.builder("feedback_waiting_requests", queue, AnswerQueue::waiting).register(metrics);
    }

    private ApiKeys apiKeys(SecureRandom random, Clock clock) {
        Path file = config.data().resolve("feedback").resolve("api-keys.json");
        try {
            return ApiKeys.open(
                    file,
                    random,
                    clock,
                    key -> System.out.println("API key, shown this once and kept only as a hash: " + key));
        } catch (IOException e) {
            throw new UncheckedIOException("API keys cannot be kept in " + file + ": " + e.getMessage(), e);
        }
    }

    void start(@Observes StartupEvent event) {
        events.start(view);
        kafka.start(() -> log.prepare(topics.completions(), topics.feedback(), topics.commands()));
        follower.start();
        checkpoints.firstCaughtUp().thenRun(knowVersions).thenRun(follower::ready);
        checkpoints.start();
        rounds.start();
        erasures.start();
    }

    void stop(@Observes ShutdownEvent event) {
        checkpoints.close();
        rounds.close();
        erasures.close();
        follower.close();
        queue.close();
        events.close();
        served.close();
        log.close();
        kafka.close();
    }

    void guard(@Observes Filters filters) {
        filters.register(access::handle, 1000);
    }

    void routes(@Observes Router router) {
        gateway.register(router);
        events.register(router);
        UnknownPath.register(router);
    }

    @Produces
    @Singleton
    Intake intake() {
        return intake;
    }

    @Produces
    @Singleton
    CommandLog commands() {
        return commands;
    }

    @Produces
    @Singleton
    RecentCompletions recentCompletions() {
        return recent;
    }

    @Produces
    @Singleton
    ServedModel servedModel() {
        return served;
    }

    @Produces
    @Singleton
    ModelFollower modelFollower() {
        return follower;
    }
}

package io.tidemill.standalone.demo;

import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.standalone.RunningMill;
import io.tidemill.standalone.demo.LoopWatch.Finished;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The demo's story: the exam, then batch after batch, each until its round has ended and the new version has answered.
 *
 * <p>A batch is sent when the round before has ended, so that a round holds one batch and the seconds from its first
 * feedback to the first new answer are the mill's, not those of a queue.
 */
final class Demo {
    /** Longest silence of a round that is taken for work. */
    private static final Duration SILENCE = Duration.ofMinutes(5);

    /** Longest time from a promotion to the first answer of what was promoted. */
    private static final Duration SWITCH = Duration.ofMinutes(2);

    /** After so long without another held-out example the exam is taken to be complete. */
    private static final Duration SETTLED = Duration.ofSeconds(20);

    private static final Duration REFRESH = Duration.ofMillis(500);

    private final RunningMill mill;
    private final DemoPlan plan;
    private final Optional<Integer> rounds;
    private final long seed;
    private final Duration pace;
    private final boolean kept;
    private final Terminal terminal;
    private final List<RoundResult> results = new ArrayList<>();

    private volatile String doing = "starting";
    private volatile Optional<Duration> firstRefresh = Optional.empty();

    /**
     * @param rounds after how many finished rounds it ends; empty for as long as there is something to send
     * @param pace   time over which a batch is spread
     * @param kept   whether the data directory outlives the demo
     */
    Demo(
            RunningMill mill,
            DemoPlan plan,
            Optional<Integer> rounds,
            long seed,
            Duration pace,
            boolean kept,
            Terminal terminal) {
        this.mill = mill;
        this.plan = plan;
        this.rounds = rounds;
        this.seed = seed;
        this.pace = pace;
        this.kept = kept;
        this.terminal = terminal;
    }

    /** @return exit status */
    int run() throws InterruptedException {
        String url = mill.settings().url();
        String model = mill.settings().modelName();
        TopicCatalogue topics = mill.settings().topics();
        try (LoopWatch watch = new LoopWatch(mill.bootstrapServers(), topics, model);
                ChatProbe chat = new ChatProbe(url, model, watch::isBusy);
                Traffic traffic = new Traffic(
                        url, mill.bootstrapServers(), topics.feedback(), new Choices(seed, Clock.systemUTC()))) {
            watch.start();
            chat.start();
            Thread state = showState(watch, chat);
            try {
                return grind(watch, chat, traffic);
            } catch (IOException e) {
                terminal.say("The demo's traffic was refused: " + e.getMessage());
                return 1;
            } finally {
                state.interrupt();
                state.join();
                terminal.show(List.of());
            }
        }
    }

    private int grind(LoopWatch watch, ChatProbe chat, Traffic traffic) throws InterruptedException, IOException {
        int first = (int) watch.newestRound();
        int end = rounds.map(count -> Math.min(first + count, plan.batches().size()))
                .orElse(plan.batches().size());
        terminal.say(String.format(
                Locale.ROOT,
                "The exam, which only the gate reads: %,d passages of the novel, %,d pairs.",
                plan.exam().passages().size(),
                plan.exam().corrections().size()));
        send(traffic, "exam", plan.exam(), Duration.ZERO);
        if (first == 0) {
            doing = "waiting until the gate has the exam";
            watch.awaitHeldOut(plan.exam().size(), SETTLED);
        }
        for (int index = first; index < end; index++) {
            send(traffic, "batch " + (index + 1), plan.batches().get(index), pace);
            doing = "waiting for the round";
            Finished finished = watch.awaitFinished(SILENCE);
            if (finished instanceof Finished.Failed failed) {
                terminal.say("The round failed: " + failed.reason() + ". The log tells more: "
                        + mill.settings().data().resolve("tidemill.log"));
                return 1;
            }
            Finished.Judged judged = (Finished.Judged) finished;
            Optional<Instant> answered = firstAnswer(judged, chat);
            if (judged.promoted() && answered.isEmpty()) {
                terminal.say(judged.event().getVersion() + " was promoted but gave no answer within "
                        + SWITCH.toSeconds() + " s. The log tells more: "
                        + mill.settings().data().resolve("tidemill.log"));
                return 1;
            }
            RoundResult result = new RoundResult(judged.event(), answered.flatMap(at -> firstFeedback(judged.event())
                    .map(since -> Duration.between(since, at))));
            results.add(result);
            terminal.say(summary(result));
        }
        report(chat).lines().forEach(terminal::say);
        if (rounds.isEmpty()) {
            doing = "everything was sent; the page stays up until Ctrl-C";
            Thread.sleep(Long.MAX_VALUE);
        }
        return 0;
    }

    private void send(Traffic traffic, String name, DemoPlan.Batch batch, Duration over)
            throws InterruptedException, IOException {
        traffic.send(
                batch,
                over,
                sent -> doing = String.format(Locale.ROOT, "sending %s: %,d of %,d", name, sent, batch.size()));
    }

    private Optional<Instant> firstAnswer(Finished.Judged judged, ChatProbe chat) throws InterruptedException {
        if (!judged.promoted()) {
            return Optional.empty();
        }
        if (firstRefresh.isEmpty()) {
            firstRefresh = Optional.of(Duration.between(
                    Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime()), judged.at()));
        }
        doing = "waiting for the first answer of " + judged.event().getVersion();
        return chat.firstAnswerOf(judged.event().getVersion(), SWITCH);
    }

    /** When the first feedback of a round was given; a round may have had documents alone. */
    private static Optional<Instant> firstFeedback(CheckpointEvent event) {
        var at = event.getLineage().getFirstFeedbackTime();
        return event.getLineage().hasFirstFeedbackTime()
                ? Optional.of(Instant.ofEpochSecond(at.getSeconds(), at.getNanos()))
                : Optional.empty();
    }

    private Report report(ChatProbe chat) {
        return new Report(
                List.copyOf(results),
                mill.settings().data().resolve(Path.of("store", mill.settings().modelName())),
                kept,
                mill.startup(),
                firstRefresh,
                ProcessMemory.peakMebibytes(),
                chat.p95Millis(),
                chat.answers(),
                chat.failures());
    }

    private Thread showState(LoopWatch watch, ChatProbe chat) {
        Thread thread = new Thread(
                () -> {
                    try {
                        while (true) {
                            terminal.show(state(watch, chat));
                            Thread.sleep(REFRESH.toMillis());
                        }
                    } catch (InterruptedException done) {
                        Thread.currentThread().interrupt();
                    }
                },
                "demo-state");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private List<String> state(LoopWatch watch, ChatProbe chat) {
        List<String> lines = new ArrayList<>();
        Optional<RoundEvent> round = watch.round();
        lines.add(round.filter(r -> watch.isBusy())
                .map(r -> String.format(
                        Locale.ROOT,
                        "round %d  %s %s",
                        r.getRound(),
                        r.getPhase().name().toLowerCase(Locale.ROOT),
                        r.getStage()))
                .orElse(doing.replaceAll(":.*", "")));
        if (watch.isBusy()) {
            round.filter(r -> r.getSteps() > 0)
                    .ifPresent(r -> lines.add(String.format(
                            Locale.ROOT,
                            "  step %d of %d, loss %.4f, %,.0f tokens/s",
                            r.getStep(),
                            r.getSteps(),
                            r.getLoss(),
                            r.getTokensPerSecond())));
        } else if (doing.contains(":")) {
            lines.add("  " + doing.replaceAll(".*: ", ""));
        }
        StringBuilder machine = new StringBuilder("  ");
        ProcessMemory.residentMebibytes()
                .ifPresent(mebibytes -> machine.append(String.format(Locale.ROOT, "memory %,d MiB", mebibytes)));
        chat.p95Millis()
                .ifPresent(millis -> machine.append(
                        String.format(Locale.ROOT, ", chat p95 while training %.2f s", millis / 1000.0)));
        lines.add(machine.toString());
        return lines;
    }

    private static String summary(RoundResult result) {
        StringBuilder line =
                new StringBuilder(result.event().getVersion()).append(result.promoted() ? " promoted" : " refused");
        result.suite(RoundResult.HELD_OUT_LOSS)
                .ifPresent(suite -> line.append(String.format(
                        Locale.ROOT, ": held-out loss %.4f → %.4f", suite.getBefore(), suite.getAfter())));
        result.suite(RoundResult.PREFERENCE_ACCURACY).ifPresent(suite -> line.append(accuracy(suite)));
        result.toFirstAnswer()
                .ifPresent(after -> line.append(String.format(
                        Locale.ROOT, ", first answer %.1f s after the first feedback", after.toMillis() / 1000.0)));
        return line.toString();
    }

    private static String accuracy(SuiteResult suite) {
        return String.format(
                Locale.ROOT,
                ", preference accuracy %.1f %% → %.1f %%",
                100 * suite.getBefore(),
                100 * suite.getAfter());
    }
}

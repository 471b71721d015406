package io.tidemill.feedback.gateway;

import com.google.protobuf.Timestamp;
import io.tidemill.feedback.answer.Answer;
import io.tidemill.feedback.answer.AnswerSettings;
import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.loop.Activity;
import io.tidemill.feedback.loop.RecentCompletions;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Topic;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.SamplingSettings;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** Makes each answer a {@code Completion} on the log, beside the answer's way to the client. */
final class Capture {
    private static final Logger LOG = Logger.getLogger(Capture.class);

    private final EventLog log;
    private final Topic completions;
    private final ErasureSet erased;
    private final RecentCompletions recent;
    private final Activity activity;
    private final Duration patience;
    private final Clock clock;

    /**
     * @param erased   what is to be forgotten is not stored; grows
     * @param patience longest that an answer's end waits for the acknowledgement
     */
    Capture(
            EventLog log,
            Topic completions,
            ErasureSet erased,
            RecentCompletions recent,
            Activity activity,
            Duration patience,
            Clock clock) {
        this.log = log;
        this.completions = completions;
        this.erased = erased;
        this.recent = recent;
        this.activity = activity;
        this.patience = patience;
        this.clock = clock;
    }

    /** Stores the answer unless the client asked not to; tells whether it is known to be stored. Never fails. */
    CompletableFuture<Boolean> keep(Turn turn, int choice, Answer answer) {
        Completion completion = completion(turn, choice, answer, clock.instant());
        String id = completion.getCompletionId();
        if (!turn.asked().store()) {
            recent.notStored(id, "it was asked for with store: false");
            return CompletableFuture.completedFuture(false);
        }
        if (!erased.isEmpty() && erased.concerns(ErasureKeys.of(completion))) {
            recent.notStored(id, "whose it is, or its conversation, is to be forgotten");
            return CompletableFuture.completedFuture(false);
        }
        // A broker that was away a moment ago is not waited for again: the answer is worth more than its rating.
        boolean worthWaiting = log.reachable();
        recent.notStored(id, "Kafka has not acknowledged it");
        CompletableFuture<Boolean> stored = log.append(completions, turn.id(), completion)
                .handle((done, failure) -> {
                    if (failure == null) {
                        recent.stored(id);
                        activity.stored(completion.getPartial());
                        return true;
                    }
                    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
                    LOG.warnf("completion=%s is not stored: %s", id, cause.getMessage());
                    activity.failed("completions", cause);
                    return false;
                });
        return worthWaiting
                ? stored.copy().completeOnTimeout(false, patience.toMillis(), TimeUnit.MILLISECONDS)
                : CompletableFuture.completedFuture(stored.getNow(false));
    }

    private static Completion completion(Turn turn, int choice, Answer answer, Instant now) {
        AskedFor asked = turn.asked();
        Completion.Builder completion = Completion.newBuilder()
                .setCompletionId(turn.completionId(choice))
                .setTurnId(turn.id())
                .setResponseId(turn.responseId())
                .setChoice(choice)
                .setSessionId(turn.session().or(asked::user).orElse(""))
                .setAnswer(answer.text())
                .setModelVersion(turn.version())
                .setSampling(sampling(asked.settings().forChoice(choice)))
                .setArm(turn.arm().name())
                .setArmProbability(turn.arm().probability())
                .setCanaryVersion(turn.arm().canary())
                .setPartial(answer.finish() == Answer.Finish.CANCELLED)
                .setFinishReason(answer.finish().reason())
                .setEventTime(
                        Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()))
                .addSubjects(asked.user().orElse(turn.asker().getSubject()))
                .setRawText(asked.question().raw());
        asked.question().messages().forEach(message -> completion.addMessages(proto(message)));
        for (int i = 0; i < answer.tokens().length; i++) {
            completion.addAnswerTokens(answer.tokens()[i]).addAnswerLogProbs(answer.logProbabilities()[i]);
        }
        answer.end().ifPresent(end -> completion.addAnswerTokens(end.token()).addAnswerLogProbs(end.logProbability()));
        return completion.setGroupId(turn.conversation()).build();
    }

    private static SamplingSettings sampling(AnswerSettings settings) {
        return SamplingSettings.newBuilder()
                .setTemperature(settings.temperature())
                .setTopP(settings.topP())
                .setTopK(settings.topK())
                .setMaxTokens(settings.maxTokens())
                .setSeed(settings.seed())
                .addAllStop(settings.stop())
                .setMinP(settings.minP())
                .setRepetitionPenalty(settings.repetitionPenalty())
                .build();
    }

    static io.tidemill.proto.v1.ChatMessage proto(ChatMessage message) {
        return io.tidemill.proto.v1.ChatMessage.newBuilder()
                .setRole(message.role())
                .setContent(message.content())
                .build();
    }
}

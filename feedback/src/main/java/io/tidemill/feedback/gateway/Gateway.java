package io.tidemill.feedback.gateway;

import io.tidemill.feedback.answer.Answer;
import io.tidemill.feedback.answer.AnswerEngine;
import io.tidemill.feedback.answer.AnswerSettings;
import io.tidemill.feedback.answer.Question;
import io.tidemill.feedback.loop.Activity;
import io.tidemill.feedback.request.InvalidRequest;
import io.tidemill.feedback.serving.AnswerQueue;
import io.tidemill.feedback.serving.ServedModel;
import io.tidemill.proto.Ids;
import io.tidemill.proto.v1.Principal;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jboss.logging.Logger;

/**
 * From a checked request to answers: once it is let in and a generator is free, it generates choice after choice, and hands
 * each finished one to the capture. A turn is answered by one version, whatever is promoted meanwhile.
 */
final class Gateway {
    private static final Logger LOG = Logger.getLogger(Gateway.class);

    private final Admission admission;
    private final AnswerQueue queue;
    private final Capture capture;
    private final Activity activity;
    private final Clock clock;

    Gateway(Admission admission, AnswerQueue queue, Capture capture, Activity activity, Clock clock) {
        this.admission = admission;
        this.queue = queue;
        this.capture = capture;
        this.activity = activity;
        this.clock = clock;
    }

    /** Starts to answer and returns; everything that can be refused is refused before. */
    void ask(AskedFor asked, Principal asker, Optional<String> session, Reply reply)
            throws AnswerQueue.Full, Admission.NoModel, Admission.UnknownModel, Admission.UnsuitedModel {
        String conversation = Turn.conversation(asked, session);
        admission.admit(asked.model(), Optional.of(conversation), AnswerEngine.class, (engine, arm) -> {
            int[] prompt = promptTokens(engine, asked.question());
            int room = engine.contextTokens() - prompt.length;
            if (room < 1) {
                throw InvalidRequest.value(
                        asked.question().raw() ? "prompt" : "messages",
                        prompt.length + " tokens",
                        "shorter than the model's context of " + engine.contextTokens() + " tokens");
            }
            String id = (asked.question().raw() ? "cmpl-" : "chatcmpl-") + Ids.uuid7();
            Turn turn = new Turn(
                    id, clock.instant(), asked, asker, session, conversation, engine.version(), arm, prompt.length);
            long askedNanos = System.nanoTime();
            return lease -> answer(lease, engine, turn, prompt, room, reply, askedNanos);
        });
        activity.asked();
    }

    private static int[] promptTokens(AnswerEngine engine, Question question) {
        try {
            return engine.promptTokens(question);
        } catch (IllegalArgumentException e) {
            throw InvalidRequest.value(
                    question.raw() ? "prompt" : "messages",
                    "refused by the model's template or tokenizer (" + e.getMessage() + ")",
                    "a conversation that they take");
        }
    }

    /** Runs on a generating thread. */
    private void answer(
            ServedModel.Lease lease,
            AnswerEngine engine,
            Turn turn,
            int[] prompt,
            int room,
            Reply reply,
            long askedNanos) {
        List<CompletableFuture<Boolean>> kept = new ArrayList<>();
        int tokens = 0;
        try (lease) {
            for (int choice = 0; choice < turn.asked().choices() && goesOn(reply); choice++) {
                Answer answer = generate(engine, turn, choice, prompt, room, reply, askedNanos);
                tokens += answer.tokens().length;
                if (answer.tokens().length > 0 || answer.finish() != Answer.Finish.CANCELLED) {
                    kept.add(capture.keep(turn, choice, answer));
                }
                reply.choice(turn, choice, answer);
            }
        } catch (RuntimeException | Error e) {
            LOG.errorf(e, "turn=%s version=%s failed while generating", turn.id(), turn.version());
            activity.failed("generate", e);
            reply.fail(turn, e);
            return;
        }
        activity.answered(System.nanoTime() - askedNanos, tokens);
        int allTokens = tokens;
        CompletableFuture.allOf(kept.toArray(CompletableFuture[]::new)).thenRun(() -> {
            boolean rateable = !kept.isEmpty() && kept.stream().allMatch(CompletableFuture::join);
            reply.end(turn, allTokens, rateable);
        });
    }

    private Answer generate(
            AnswerEngine engine, Turn turn, int choice, int[] prompt, int room, Reply reply, long askedNanos) {
        AnswerSettings settings = turn.asked().settings().forChoice(choice).atMost(room);
        boolean[] first = {choice == 0};
        return engine.answer(prompt, settings, piece -> {
            if (first[0]) {
                first[0] = false;
                activity.firstToken(System.nanoTime() - askedNanos);
            }
            reply.piece(turn, choice, piece);
            return goesOn(reply);
        });
    }

    private boolean goesOn(Reply reply) {
        return !reply.gone() && !queue.closing();
    }
}

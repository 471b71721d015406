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
 * From a checked request to answers: takes a lease on the version that serves, waits for a generator, generates choice
 * after choice, and hands each finished one to the capture. A turn is answered by one version, whatever is promoted
 * meanwhile.
 */
final class Gateway {
    private static final Logger LOG = Logger.getLogger(Gateway.class);

    private final String model;
    private final ServedModel served;
    private final AnswerQueue queue;
    private final Capture capture;
    private final Activity activity;
    private final Clock clock;

    Gateway(String model, ServedModel served, AnswerQueue queue, Capture capture, Activity activity, Clock clock) {
        this.model = model;
        this.served = served;
        this.queue = queue;
        this.capture = capture;
        this.activity = activity;
        this.clock = clock;
    }

    /** Starts to answer and returns; everything that can be refused is refused before. */
    void ask(AskedFor asked, Principal asker, Optional<String> session, Reply reply)
            throws AnswerQueue.Full, NoModel, UnknownModel {
        ServedModel.Lease lease = served.acquire().orElseThrow(NoModel::new);
        boolean handedOver = false;
        try {
            AnswerEngine engine = lease.engine();
            checkModel(asked, engine);
            int[] prompt = promptTokens(engine, asked.question());
            int room = engine.contextTokens() - prompt.length;
            if (room < 1) {
                throw InvalidRequest.value(
                        asked.question().raw() ? "prompt" : "messages",
                        prompt.length + " tokens",
                        "shorter than the model's context of " + engine.contextTokens() + " tokens");
            }
            String id = (asked.question().raw() ? "cmpl-" : "chatcmpl-") + Ids.uuid7();
            Turn turn = new Turn(id, clock.instant(), asked, asker, session, engine.version(), prompt.length);
            long asked0 = System.nanoTime();
            queue.submit(() -> answer(lease, turn, prompt, room, reply, asked0));
            handedOver = true;
        } finally {
            if (!handedOver) {
                lease.close();
            }
        }
        activity.asked();
    }

    private void checkModel(AskedFor asked, AnswerEngine engine) throws UnknownModel {
        String wanted = asked.model().orElse(model);
        if (!wanted.equals(model) && !wanted.equals(engine.version())) {
            throw new UnknownModel(wanted, model, engine.version());
        }
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
    private void answer(ServedModel.Lease lease, Turn turn, int[] prompt, int room, Reply reply, long askedNanos) {
        List<CompletableFuture<Boolean>> kept = new ArrayList<>();
        int tokens = 0;
        try (lease) {
            AnswerEngine engine = lease.engine();
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

    /** Nothing serves yet. */
    static final class NoModel extends Exception {
        private static final long serialVersionUID = 1L;

        NoModel() {
            super(
                    "No version of the model is loaded yet; try again in a few seconds. GET /v1/loop tells how far it is.");
        }
    }

    /** The client asks for a model or version that does not serve. */
    static final class UnknownModel extends Exception {
        private static final long serialVersionUID = 1L;

        UnknownModel(String wanted, String model, String version) {
            super("The model '" + wanted + "' does not serve here; ask for '" + model + "' or '" + version + "'.");
        }
    }
}

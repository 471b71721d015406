package io.tidemill.feedback.gateway;

import io.tidemill.feedback.answer.Engine;
import io.tidemill.feedback.serving.AnswerQueue;
import io.tidemill.feedback.serving.Arm;
import io.tidemill.feedback.serving.ServedModel;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * Lets a request in: it gets a lease on the version that serves, or on the canary where its conversation draws that one or
 * where it names it; the version must be of the kind that it needs. Then it waits for a thread.
 */
final class Admission {
    private final String model;
    private final ServedModel served;
    private final AnswerQueue queue;

    /** @param model name that clients may ask for, besides the version that serves */
    Admission(String model, ServedModel served, AnswerQueue queue) {
        this.model = model;
        this.served = served;
        this.queue = queue;
    }

    /**
     * Refuses the request, or returns while it waits.
     *
     * @param wanted       name or version that the client asks for; empty takes what serves
     * @param conversation that a canary may be drawn for; empty where it has nothing to say
     * @param kind         that the request needs
     * @param prepare      refuses what the version cannot take, and gives what a thread is to do; that gives back the lease
     */
    <E extends Engine> void admit(
            Optional<String> wanted,
            Optional<String> conversation,
            Class<E> kind,
            BiFunction<E, Arm, Consumer<ServedModel.Lease>> prepare)
            throws AnswerQueue.Full, NoModel, UnknownModel, UnsuitedModel {
        ServedModel.Lease lease = lease(wanted.orElse(model), conversation);
        boolean handedOver = false;
        try {
            Engine engine = lease.engine();
            if (!kind.isInstance(engine)) {
                throw new UnsuitedModel(engine);
            }
            Consumer<ServedModel.Lease> work = prepare.apply(kind.cast(engine), lease.arm());
            queue.submit(() -> work.accept(lease));
            handedOver = true;
        } finally {
            if (!handedOver) {
                lease.close();
            }
        }
    }

    private ServedModel.Lease lease(String name, Optional<String> conversation) throws NoModel, UnknownModel {
        if (name.equals(model)) {
            return conversation.flatMap(served::draw).or(served::acquire).orElseThrow(NoModel::new);
        }
        String version = served.version().orElseThrow(NoModel::new);
        return served.acquire(name).orElseThrow(() -> new UnknownModel(name, model, version));
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

    /** The version that serves is for something else. */
    static final class UnsuitedModel extends Exception {
        private static final long serialVersionUID = 1L;

        UnsuitedModel(Engine engine) {
            super("The model '" + engine.version() + "' " + engine.task().deed() + " and does nothing else; use "
                    + engine.task().endpoint() + ".");
        }
    }
}

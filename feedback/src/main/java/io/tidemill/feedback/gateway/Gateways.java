package io.tidemill.feedback.gateway;

import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.loop.Activity;
import io.tidemill.feedback.loop.RecentCompletions;
import io.tidemill.feedback.serving.AnswerQueue;
import io.tidemill.feedback.serving.ServedModel;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Topic;
import java.time.Clock;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** The door of this package: puts the gateway together. */
public final class Gateways {
    private Gateways() {}

    /**
     * @param model            name that clients may ask for, besides the version that serves
     * @param defaultMaxTokens longest answer where a request names none
     * @param capturePatience  longest that an answer's end waits to learn whether it was stored
     * @param erased           what is to be forgotten is not stored; grows
     */
    public static GatewayRoutes routes(
            String model,
            int defaultMaxTokens,
            int maximumBodyBytes,
            Duration capturePatience,
            Topic completions,
            ErasureSet erased,
            EventLog log,
            ServedModel served,
            AnswerQueue queue,
            RecentCompletions recent,
            Activity activity,
            Clock clock,
            RandomGenerator seeds) {
        Capture capture = new Capture(log, completions, erased, recent, activity, capturePatience, clock);
        Admission admission = new Admission(model, served, queue);
        Gateway gateway = new Gateway(admission, queue, capture, activity, clock);
        RequestReader reader = new RequestReader(defaultMaxTokens, seeds);
        TextGateway texts = new TextGateway(admission, queue, activity);
        return new GatewayRoutes(gateway, reader, texts, served, activity, model, maximumBodyBytes, clock);
    }
}

package io.tidemill.feedback.rating;

import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.loop.Activity;
import io.tidemill.proto.Topic;
import io.tidemill.proto.v1.Command;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;

/**
 * The topic of commands for one model.
 *
 * @param model key of its records
 */
public record CommandLog(EventLog log, Topic topic, String model, Activity activity, Clock clock) {
    CompletableFuture<Void> append(Command command) {
        return log.append(topic, model, command).whenComplete((done, failure) -> {
            if (failure != null) {
                activity.failed("commands", failure);
            }
        });
    }
}

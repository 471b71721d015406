package io.tidemill.preprocess;

import java.util.List;
import java.util.Map;

/**
 * What {@code GET /v1/preprocess} answers.
 *
 * @param ready        whether both applications take records
 * @param applications the two Kafka Streams applications
 * @param counts       records by stage and code since this process started, a repeated transaction counted again
 */
public record PreprocessState(boolean ready, List<Application> applications, Map<String, Map<String, Long>> counts) {
    /**
     * One application.
     *
     * @param id         application id and consumer group, or empty where it has not started
     * @param state      of Kafka Streams: RUNNING is good
     * @param problem    why it does not run, or empty
     * @param version    model version whose tokenizer it uses, or empty
     * @param tokenizer  fingerprint, or empty
     * @param lagRecords records that wait, by topic
     */
    public record Application(
            String name,
            String id,
            String state,
            String problem,
            String version,
            String tokenizer,
            Map<String, Long> lagRecords) {}
}

package io.tidemill.auditor;

import io.tidemill.proto.TopicCatalogue;
import java.util.List;

/** Names of the topics that an audit reads; the number of each in {@link #all()} stands for it in tables. */
final class Topics {
    private final TopicCatalogue catalogue;
    private final String fingerprint;

    /** @param fingerprint of the lineage's tokenizer, which names the topic of its sequences */
    Topics(TopicCatalogue catalogue, String fingerprint) {
        this.catalogue = catalogue;
        this.fingerprint = fingerprint;
    }

    String documents() {
        return catalogue.documents().name();
    }

    String demonstrations() {
        return catalogue.demonstrations().name();
    }

    String prompts() {
        return catalogue.prompts().name();
    }

    String completions() {
        return catalogue.completions().name();
    }

    String feedback() {
        return catalogue.feedback().name();
    }

    String preferences() {
        return catalogue.preferences().name();
    }

    String sequences() {
        return catalogue.tokenSequences(fingerprint).name();
    }

    String rejected() {
        return catalogue.rejected().name();
    }

    String quarantine() {
        return catalogue.quarantine().name();
    }

    String erasures() {
        return catalogue.erasures().name();
    }

    /** What rounds are made of. */
    List<String> ofExamples() {
        return List.of(sequences(), preferences(), prompts());
    }

    /** What people and programs have sent. Completions stand before the feedback on them. */
    List<String> ofEvents() {
        return List.of(documents(), demonstrations(), prompts(), completions(), feedback());
    }

    /** Consumer groups of preprocessing, which are its applications' ids. */
    List<String> applications() {
        return List.of(catalogue.prefix() + "route", catalogue.prefix() + "tokenize." + fingerprint);
    }

    /** Was this topic read by the tokenizing application? The other one reads the rest. */
    boolean isTokenized(String topic) {
        return topic.equals(documents()) || topic.equals(demonstrations()) || topic.equals(preferences());
    }

    IdTable.Key key(String topic, int partition, long offset) {
        return IdTable.Key.of(all().indexOf(topic), partition, offset);
    }

    private List<String> all() {
        return List.of(documents(), demonstrations(), prompts(), completions(), feedback(), preferences(), sequences());
    }

    /** The kind of example that a slice's topic holds, whichever tokenizer cut it. */
    boolean holdsExamples(String topic) {
        return topic.startsWith(catalogue.prefix() + "token-sequences.")
                || topic.equals(preferences())
                || topic.equals(prompts());
    }
}

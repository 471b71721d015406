package io.tidemill.trainer.objective;

import java.util.List;

/**
 * An objective as help texts and documentation list it.
 *
 * @param name       as settings and recipes name it
 * @param summary    what it is, in a sentence
 * @param source     paper and arXiv number
 * @param parameters in a fixed order; may be empty
 */
public record ObjectiveDescription(String name, Kind kind, String summary, String source, List<Parameter> parameters) {
    public ObjectiveDescription {
        parameters = List.copyOf(parameters);
    }

    /** What an objective learns from. */
    public enum Kind {
        PAIR("pairs of answers"),
        RATING("answers rated one by one"),
        POLICY("rollouts");

        private final String examples;

        Kind(String examples) {
            this.examples = examples;
        }

        /** In words. */
        public String examples() {
            return examples;
        }
    }

    /**
     * A setting of an objective.
     *
     * @param accepted     in words, such as "above 0"
     * @param defaultValue what holds where none is given
     */
    public record Parameter(String name, String accepted, String defaultValue, String meaning) {}
}

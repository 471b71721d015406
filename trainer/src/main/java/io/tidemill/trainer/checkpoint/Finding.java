package io.tidemill.trainer.checkpoint;

/**
 * What one check of a version found.
 *
 * @param check what was looked at, in a word
 * @param told  what was seen, or why it does not hold
 */
public record Finding(String check, Outcome outcome, String told) {
    /** Names of files and messages may hold anything; a finding is one line, and no control character reaches a terminal. */
    public Finding {
        told = told.replaceAll("\\s*\\R\\s*", " ").replaceAll("\\p{Cntrl}", "?");
    }

    /** What became of a check. */
    public enum Outcome {
        OK("ok"),
        FAILED("FAILED"),
        UNCHECKED("not checked");

        private final String text;

        Outcome(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static Finding ok(String check, String told) {
        return new Finding(check, Outcome.OK, told);
    }

    static Finding failed(String check, String told) {
        return new Finding(check, Outcome.FAILED, told);
    }

    static Finding unchecked(String check, String told) {
        return new Finding(check, Outcome.UNCHECKED, told);
    }

    public boolean failed() {
        return outcome == Outcome.FAILED;
    }
}

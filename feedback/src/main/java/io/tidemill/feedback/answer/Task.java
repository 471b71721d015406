package io.tidemill.feedback.answer;

/** What a version is for, and so where it is asked. */
public enum Task {
    ANSWER("answer", "answers and continues texts", "POST /v1/chat/completions or POST /v1/completions"),
    CLASSIFY("classify", "classifies texts", "POST /v1/classifications"),
    FILL_MASK("fill-mask", "fills in masked words", "POST /v1/fill-mask");

    private final String word;
    private final String deed;
    private final String endpoint;

    Task(String word, String deed, String endpoint) {
        this.word = word;
        this.deed = deed;
        this.endpoint = endpoint;
    }

    /** For programs. */
    public String word() {
        return word;
    }

    /** What it does, as a verb with its object. */
    public String deed() {
        return deed;
    }

    /** Where it is asked. */
    public String endpoint() {
        return endpoint;
    }
}

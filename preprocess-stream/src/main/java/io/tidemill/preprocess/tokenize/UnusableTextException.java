package io.tidemill.preprocess.tokenize;

/** A text cannot become tokens; the message says why, in words for {@code rejected}. */
public final class UnusableTextException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String code;

    /**
     * A refusal of the tokenizer.
     *
     * @param code short and stable, for counting: "control-token", "template", "empty-mask"
     */
    public UnusableTextException(String code, String reason) {
        super(reason);
        this.code = code;
    }

    public String code() {
        return code;
    }
}

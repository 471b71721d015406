package io.tidemill.proto;

/**
 * Names one answer: {@code <response id>/<choice>}.
 *
 * @param responseId id of the response that holds the answer
 * @param choice     which of the response's answers, from 0
 */
public record CompletionId(String responseId, int choice) {
    public CompletionId {
        if (responseId.isBlank() || choice < 0) {
            throw new IllegalArgumentException("A completion's id is '<response id>/<choice>' with a choice of at least"
                    + " 0, but was '" + responseId + "/" + choice + "'.");
        }
    }

    public static CompletionId parse(String text) {
        int slash = text.lastIndexOf('/');
        if (slash < 1 || !text.substring(slash + 1).matches("[0-9]{1,6}")) {
            throw new IllegalArgumentException(
                    "A completion's id is '<response id>/<choice>', but was '" + text + "'.");
        }
        return new CompletionId(text.substring(0, slash), Integer.parseInt(text.substring(slash + 1)));
    }

    @Override
    public String toString() {
        return responseId + "/" + choice;
    }
}

package io.tidemill.trainer.gate;

import io.tidemill.proto.Ids;
import java.nio.ByteBuffer;
import java.util.stream.IntStream;

/**
 * What a model is asked to answer.
 *
 * @param prompt    up to where the answer begins
 * @param maxTokens of the answer, at most
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody; by its content id where that matters
public record Question(int[] prompt, int maxTokens) {
    public Question {
        if (prompt.length == 0 || maxTokens < 1) {
            throw new IllegalArgumentException("A question needs a prompt and room for an answer, but has "
                    + prompt.length + " and " + maxTokens + " tokens");
        }
    }

    /** Tells prompt and room, and nothing else. */
    String contentId() {
        ByteBuffer bytes = ByteBuffer.allocate(4 * (prompt.length + 1)).putInt(maxTokens);
        IntStream.of(prompt).forEach(bytes::putInt);
        return Ids.contentHash(bytes.array());
    }
}

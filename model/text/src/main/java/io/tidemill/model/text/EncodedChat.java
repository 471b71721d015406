package io.tidemill.model.text;

/**
 * A conversation as token ids.
 *
 * @param ids           {@code [T]}
 * @param assistantMask {@code [T]}, true where the assistant's answer and its end of turn stand: what to learn
 */
public record EncodedChat(int[] ids, boolean[] assistantMask) {
    public EncodedChat {
        if (ids.length != assistantMask.length) {
            throw new IllegalArgumentException(
                    "ids and mask must be of one length, but were " + ids.length + " and " + assistantMask.length);
        }
    }
}

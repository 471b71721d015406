package io.tidemill.model.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Text of tokens as they come, one by one, never half a character. One instance per answer, for one thread.
 *
 * <p>Byte-level vocabularies are decoded byte by byte. Others are decoded by windows: the text that the newest tokens
 * add to those before them. Where these spell unknown characters by bytes, a run of bytes is held back to its end,
 * because one byte that does not fit changes how the decoder writes all of the run. What all calls give together is what
 * {@link Tokenizer#decode} gives for all tokens at once.
 */
public final class StreamingDecoder {
    private final Tokenizer tokenizer;
    private final CharsetDecoder utf8 = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] rest = new byte[0];

    private int[] window = new int[0];
    private int settled;

    /**
     * A decoder at the start of a text.
     *
     * @throws IllegalArgumentException for a vocabulary whose decoder changes text that it has already written
     *                                  (WordPiece): decode whole sequences instead
     */
    public StreamingDecoder(Tokenizer tokenizer) {
        if (!tokenizer.decodesForwards()) {
            throw new IllegalArgumentException(
                    "The decoder of this tokenizer changes text that it has written (as"
                            + " WordPiece does before punctuation), so its tokens cannot be decoded one by one; decode whole sequences.");
        }
        this.tokenizer = tokenizer;
    }

    /** The characters that this token completes; often one word, sometimes nothing. */
    public String append(int token) {
        return tokenizer.isByteLevel() ? decode(tokenizer.bytes(token), false) : appendToWindow(token);
    }

    /** What was held back, with U+FFFD for a character that was never completed. */
    public String finish() {
        if (tokenizer.isByteLevel()) {
            return decode(new byte[0], true);
        }
        String before = tokenizer.decode(Arrays.copyOf(window, settled));
        String all = tokenizer.decode(window);
        window = new int[0];
        settled = 0;
        return all.substring(Math.min(before.length(), all.length()));
    }

    private String decode(byte[] bytes, boolean last) {
        ByteBuffer in = ByteBuffer.allocate(rest.length + bytes.length);
        in.put(rest).put(bytes).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 2);
        utf8.decode(in, out, last);
        if (last) {
            utf8.flush(out);
            utf8.reset();
        }
        rest = new byte[in.remaining()];
        in.get(rest);
        return out.flip().toString();
    }

    private String appendToWindow(int token) {
        if (tokenizer.isSilent(token)) { // it does not even end a run of bytes
            return "";
        }
        window = Arrays.copyOf(window, window.length + 1);
        window[window.length - 1] = token;
        String before = tokenizer.decode(Arrays.copyOf(window, settled));
        String all = tokenizer.decode(window);
        if (all.length() <= before.length() || all.endsWith("\uFFFD") || tokenizer.isFallbackByte(token)) {
            return "";
        }
        // The tokens just shown stay as the ground on which the next ones are decoded; older ones are done with.
        window = Arrays.copyOfRange(window, settled, window.length);
        settled = window.length;
        return all.substring(before.length());
    }
}

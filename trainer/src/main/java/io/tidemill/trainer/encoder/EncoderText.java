package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.text.EncoderFrame;
import io.tidemill.model.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Texts as a BERT reads them: {@code [CLS] a [SEP]}, or {@code [CLS] a [SEP] b [SEP]}, cut at the end to the longest
 * length. As transformers' tokenizer with {@code truncation=True}; of two texts the longer one is cut first.
 */
public final class EncoderText {
    /** What BERT's normaliser makes a space; other control characters it drops. */
    private static final Pattern SPACE = Pattern.compile("[\\t\\n\\r\\p{Z}]+");

    private final Tokenizer tokenizer;
    private final EncoderFrame frame;
    private final int maximumLength;
    private final int first;
    private final int separator;

    /** @param maximumLength tokens of an input, special ones included, at least 3 */
    public EncoderText(Tokenizer tokenizer, int maximumLength) {
        this.tokenizer = tokenizer;
        this.frame = new EncoderFrame(tokenizer, maximumLength);
        this.maximumLength = maximumLength;
        this.first = EncoderFrame.id(tokenizer, "[CLS]");
        this.separator = EncoderFrame.id(tokenizer, "[SEP]");
    }

    /** Tokens of a text with those around it, before it is cut. */
    public int length(String text) {
        return tokenizer.encode(text).length + 2;
    }

    public EncoderInput input(String text) {
        return input(tokenizer.encode(text));
    }

    /** Of a text that is tokenized already. */
    public EncoderInput input(int[] ids) {
        return EncoderInput.of(frame.around(ids));
    }

    public EncoderInput input(String a, String b) {
        int[] left = tokenizer.encode(a);
        int[] right = tokenizer.encode(b);
        int room = maximumLength - 3;
        int lefts = left.length;
        int rights = right.length;
        if (lefts + rights > room) { // "longest_first": the shorter one is cut only where it is more than half
            int shorter = Math.min(lefts, rights);
            int kept = shorter > room / 2 ? room / 2 : shorter;
            boolean leftIsShorter = lefts <= rights;
            lefts = leftIsShorter ? kept : room - kept;
            rights = room - lefts;
        }
        int[] ids = new int[lefts + rights + 3];
        int[] types = new int[ids.length];
        ids[0] = first;
        System.arraycopy(left, 0, ids, 1, lefts);
        ids[lefts + 1] = separator;
        System.arraycopy(right, 0, ids, lefts + 2, rights);
        ids[ids.length - 1] = separator;
        Arrays.fill(types, lefts + 2, types.length, 1);
        return new EncoderInput(ids, types);
    }

    /**
     * A text to be masked. Words are what stands between spaces, as in transformers 5.18, where a word goes on as long as
     * there is no gap between two tokens: "don't" is one, with its apostrophe.
     */
    public MaskableText maskable(String exampleId, String text) {
        List<int[]> pieces = new ArrayList<>();
        int length = 0;
        for (String word : SPACE.split(text)) {
            int[] ids = tokenizer.encode(word);
            pieces.add(ids);
            length += ids.length;
        }
        int[] ids = new int[length];
        int[] words = new int[length];
        int at = 0;
        int word = 0;
        for (int[] piece : pieces) {
            System.arraycopy(piece, 0, ids, at, piece.length);
            Arrays.fill(words, at, at + piece.length, word);
            at += piece.length;
            word += piece.length == 0 ? 0 : 1;
        }
        EncoderInput input = input(ids);
        int[] all = new int[input.ids().length];
        Arrays.fill(all, -1);
        System.arraycopy(words, 0, all, 1, all.length - 2);
        return new MaskableText(exampleId, input, all);
    }

    /**
     * A text that is tokenized already, to be masked; a long one is cut between words into several. Words are those of
     * BERT's whole word masking: a token that begins with ## belongs to the word before it. So "don't" is three of them,
     * where {@link #maskable(String, String)}, which sees the spaces, has one.
     *
     * @param exampleId of the text; each part has its number after it
     * @param ids       a separator at the end, as documents in the log have, is left out
     */
    public List<MaskableText> maskable(String exampleId, int[] ids) {
        int end = ids.length > 0 && ids[ids.length - 1] == separator ? ids.length - 1 : ids.length;
        int room = maximumLength - 2;
        List<MaskableText> parts = new ArrayList<>();
        for (int from = 0; from < end; ) {
            int to = Math.min(end, from + room);
            int cut = to;
            while (cut < end && cut > from && isContinued(ids[cut])) {
                cut--; // back to the first token of the word that would be cut in two
            }
            to = cut > from ? cut : to; // a word longer than the room is cut where it must be
            parts.add(part(exampleId + "/" + parts.size(), Arrays.copyOfRange(ids, from, to)));
            from = to;
        }
        return parts;
    }

    private boolean isContinued(int id) {
        return tokenizer.token(id).startsWith("##");
    }

    private MaskableText part(String exampleId, int[] ids) {
        int[] words = new int[ids.length + 2];
        words[0] = -1;
        words[ids.length + 1] = -1;
        for (int t = 0, word = 0; t < ids.length; t++) {
            word += t > 0 && !isContinued(ids[t]) ? 1 : 0;
            words[t + 1] = word;
        }
        return new MaskableText(exampleId, input(ids), words);
    }
}

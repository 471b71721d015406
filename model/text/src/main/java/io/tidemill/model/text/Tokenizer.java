package io.tidemill.model.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A tokenizer of Hugging Face's format: text to ids and back. Safe for use by several threads.
 *
 * <p>Holds the native tokenizer twice. One knows the special tokens and reads what a template rendered; the other does
 * not, so that what a person typed never becomes a control token, whatever it spells.
 */
public final class Tokenizer implements AutoCloseable {
    /** Neither cut at 512 tokens, which is the library's default, nor padded, nor wrapped in special tokens. */
    private static final Map<String, String> PLAIN =
            Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false");

    private static final List<String> USUAL_ENDS =
            List.of("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "[SEP]");

    private final HuggingFaceTokenizer withControls;
    private final HuggingFaceTokenizer withoutControls;
    private final TokenizerFile file;
    private final int endOfText;
    private final List<String> controls;
    private final Pattern anyControl;

    private Tokenizer(TokenizerFile file, int endOfText) throws IOException {
        this.file = file;
        this.endOfText = endOfText;
        this.controls = file.controls();
        this.anyControl = Pattern.compile(
                controls.isEmpty()
                        ? "(?!)"
                        : controls.stream()
                                .sorted(Comparator.comparingInt(String::length).reversed())
                                .map(Pattern::quote)
                                .collect(Collectors.joining("|")));
        this.withControls = open(file.json());
        try {
            this.withoutControls = open(file.jsonWithoutControls());
        } catch (IOException | RuntimeException e) {
            withControls.close();
            throw e;
        }
    }

    /** Opens {@code tokenizer.json} and, where present, {@code tokenizer_config.json} of a model's directory. */
    public static Tokenizer load(Path huggingFaceDirectory) throws IOException {
        Path path = huggingFaceDirectory.resolve("tokenizer.json");
        if (!Files.isRegularFile(path)) {
            throw new NoSuchFileException(
                    path.toString(),
                    null,
                    "A model's directory needs a tokenizer.json; save the tokenizer in its fast form.");
        }
        TokenizerFile file = TokenizerFile.read(path);
        return new Tokenizer(file, endOfText(huggingFaceDirectory, file));
    }

    private static HuggingFaceTokenizer open(byte[] json) throws IOException {
        return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), PLAIN);
    }

    private static int endOfText(Path directory, TokenizerFile file) throws IOException {
        List<String> candidates = new ArrayList<>();
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            Path path = directory.resolve(name);
            if (Files.isRegularFile(path)) {
                SpecialTokens.read(path).content("eos_token").ifPresent(candidates::add);
            }
        }
        candidates.addAll(USUAL_ENDS);
        return candidates.stream()
                .map(file::id)
                .filter(OptionalInt::isPresent)
                .mapToInt(OptionalInt::getAsInt)
                .findFirst()
                .orElseThrow(() -> new IOException("No end-of-text token in " + directory
                        + ": name one as eos_token in tokenizer_config.json. Looked for " + candidates));
    }

    /** Ids of text as people write it: nothing added, nothing cut, and a special token's name is mere text. */
    public int[] encode(String text) {
        int[] ids = ids(withoutControls, text);
        for (int id : ids) {
            if (file.isControl(id)) {
                throw new IllegalArgumentException("Text spells the control token '" + file.token(id)
                        + "' in a way this tokenizer cannot tell from text; remove it from the text.");
            }
        }
        return ids;
    }

    /** Ids of what a chat template rendered: a special token's name becomes its id. */
    public int[] encodeTemplate(String rendered) {
        return ids(withControls, rendered);
    }

    /** Only the ids cross the native border; the library's own call also builds tokens, spans and masks. */
    private static int[] ids(HuggingFaceTokenizer tokenizer, String text) {
        long encoding = TokenizersLibrary.LIB.encode(tokenizer.getHandle(), withoutLoneSurrogates(text), false);
        try {
            return Arrays.stream(TokenizersLibrary.LIB.getTokenIds(encoding))
                    .mapToInt(id -> (int) id)
                    .toArray();
        } finally {
            TokenizersLibrary.LIB.deleteEncoding(encoding);
        }
    }

    /** Half a character has no UTF-8 form; the model reads U+FFFD, as a decoder would show it. */
    private static String withoutLoneSurrogates(String text) {
        if (StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            return text;
        }
        return text.codePoints()
                .map(point -> point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE ? 0xFFFD : point)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    /** Text of ids; special tokens leave nothing. */
    public String decode(int[] ids) {
        return decode(ids, true);
    }

    /** Text of ids, special tokens as they are spelt. */
    public String decodeWithControls(int[] ids) {
        return decode(ids, false);
    }

    private String decode(int[] ids, boolean skipControls) {
        for (int id : ids) {
            checkId(id);
        }
        return withControls.decode(Arrays.stream(ids).asLongStream().toArray(), skipControls);
    }

    /** The bytes that a token adds to the text, none for a special token; of byte-level vocabularies only. */
    public byte[] bytes(int id) {
        checkId(id);
        if (!isByteLevel()) {
            throw new UnsupportedOperationException("bytes of token " + id
                    + ": this tokenizer's vocabulary is not byte-level; decode whole sequences instead.");
        }
        return file.isSilent(id) ? new byte[0] : ByteLevel.read(file.token(id));
    }

    /** Whether each token is a string of bytes, so that {@link #bytes} can tell them. */
    public boolean isByteLevel() {
        return file.isByteLevel();
    }

    /** Whether text of the first tokens stays as it is, whatever tokens follow. */
    boolean decodesForwards() {
        return !file.decodesBackwards();
    }

    /** Whether the token leaves nothing in decoded text. */
    boolean isSilent(int id) {
        checkId(id);
        return file.isSilent(id);
    }

    /** Whether the token is one byte of a character that the vocabulary lacks. */
    boolean isFallbackByte(int id) {
        return file.isFallbackByte(id);
    }

    /** One more than the highest id. */
    public int vocabularySize() {
        return file.vocabularySize();
    }

    /** The id of a token as the vocabulary writes it, such as {@code <|im_end|>}. */
    public OptionalInt id(String token) {
        return file.id(token);
    }

    /** The token as the vocabulary writes it. */
    public String token(int id) {
        checkId(id);
        return file.token(id);
    }

    /** The id that ends a text: {@code eos_token}. */
    public int endOfText() {
        return endOfText;
    }

    /** First 16 hexadecimal digits of the SHA-256 of {@code tokenizer.json}. */
    public String fingerprint() {
        return file.fingerprint();
    }

    /** Special tokens as they are spelt, in the order of their ids. */
    List<String> controls() {
        return controls;
    }

    /** Finds special tokens in text, the longest where several begin at one place. */
    Pattern anyControl() {
        return anyControl;
    }

    private void checkId(int id) {
        if (id < 0 || id >= file.vocabularySize()) {
            throw new IllegalArgumentException(
                    "token id must be from 0 to " + (file.vocabularySize() - 1) + ", but was " + id);
        }
    }

    @Override
    public void close() {
        withControls.close();
        withoutControls.close();
    }
}

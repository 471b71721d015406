package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One call's rows of prompts and answers. A row holds a prompt, its answers behind it one after the other, then the next
 * prompt: an answer sees the prompt and itself, and its positions go on from the prompt's last one.
 *
 * <pre>  ids        p p p p a a a b b b b q q c …
 *   positions  0 1 2 3 4 5 6 4 5 6 7 0 1 2 …
 *   segments   1 1 1 1 2 2 2 3 3 3 3 4 4 4 …
 *   prefixes   − − − − 1 1 1 1 1 1 1 − − − …  </pre>
 *
 * <p>The last prompt token predicts the first token of every answer. The last token of an answer predicts nothing and is
 * left out. A prompt with one answer is one segment.
 *
 * <p>The quadratic part of attention sees the whole row, so a row holds {@link #ROOM} tokens unless one text is longer.
 */
final class PrefixRows {
    /** How texts share rows. What they say is the same but for rounding; tests hold one against the other. */
    enum Form {
        /** Answers share their prompt, and texts a row. */
        PACKED(true, true),
        /** Answers share their prompt; each text has its row. */
        SHARED(true, false),
        /** Each answer has its own prompt before it; texts share a row. */
        REPEATED(false, true),
        /** Each answer with its prompt has its row. */
        PADDED(false, false);

        private final boolean sharesPrompts;
        private final boolean sharesRows;

        Form(boolean sharesPrompts, boolean sharesRows) {
            this.sharesPrompts = sharesPrompts;
            this.sharesRows = sharesRows;
        }
    }

    /** Tokens of a row that several texts share. */
    static final int ROOM = 512;

    private static final int NONE = -1;

    /** Texts that share rows, and of each row which answers of which text it holds. */
    private record Bundle(List<Integer> texts, List<List<Piece>> rows) {
        int length(List<PromptAnswers> all) {
            return rows.stream()
                    .mapToInt(row ->
                            row.stream().mapToInt(piece -> piece.length(all)).sum())
                    .max()
                    .orElseThrow();
        }
    }

    /** A prompt once, and some of its answers. */
    private record Piece(int text, int firstAnswer, int answers) {
        int length(List<PromptAnswers> all) {
            PromptAnswers text = all.get(this.text);
            return text.prompt().length
                    + text.answers().subList(firstAnswer, firstAnswer + answers).stream()
                            .mapToInt(answer -> answer.length - 1)
                            .sum();
        }
    }

    private final int[] which;
    private final PromptAnswers[] texts;
    private final int[][] ids;
    private final int[][] positions;
    private final int[][] segments;
    private final int[][] prefixes;
    private final int[][][] places; // of each text's answers' tokens, counted over all rows
    private boolean continues; // whether any segment goes on from another
    private boolean together; // whether any row holds several segments

    private PrefixRows(List<PromptAnswers> all, List<Bundle> bundles) {
        which = bundles.stream()
                .flatMap(bundle -> bundle.texts().stream())
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
        texts = Arrays.stream(which).mapToObj(all::get).toArray(PromptAnswers[]::new);
        List<List<Piece>> rows =
                bundles.stream().flatMap(bundle -> bundle.rows().stream()).toList();
        int length =
                bundles.stream().mapToInt(bundle -> bundle.length(all)).max().orElseThrow();
        ids = new int[rows.size()][length];
        positions = new int[rows.size()][length];
        segments = new int[rows.size()][length];
        prefixes = new int[rows.size()][length];
        places = new int[which.length][][];
        for (int f = 0; f < which.length; f++) {
            places[f] = new int[texts[f].answers().size()][];
        }
        for (int row = 0; row < rows.size(); row++) {
            Arrays.fill(prefixes[row], NONE);
            fill(row, rows.get(row));
        }
    }

    // ---- which texts share a call -----------------------------------------------------------------------------------

    /**
     * Calls for all texts. First fit, longest first; equal texts in the order given: the same texts always lie the same.
     *
     * @param tokensAtOnce that a call holds at most, padding included, unless one text alone is longer
     * @param textsAtOnce  that a call holds at most
     */
    static List<PrefixRows> plan(
            List<PromptAnswers> texts, ModelConfig config, Form form, int tokensAtOnce, int textsAtOnce) {
        if (textsAtOnce < 1) {
            throw new IllegalArgumentException("A call holds at least 1 text, but textsAtOnce was " + textsAtOnce);
        }
        texts.forEach(text -> check(text, config));
        List<PrefixRows> calls = new ArrayList<>();
        List<Bundle> call = new ArrayList<>();
        int rows = 0;
        int held = 0;
        for (Bundle bundle : bundles(texts, form, Math.min(ROOM, tokensAtOnce), textsAtOnce)) {
            long tokens = (long) (rows + bundle.rows().size()) * (call.isEmpty() ? bundle : call.get(0)).length(texts);
            if (!call.isEmpty()
                    && (tokens > tokensAtOnce || held + bundle.texts().size() > textsAtOnce)) {
                calls.add(new PrefixRows(texts, call));
                call = new ArrayList<>();
                rows = 0;
                held = 0;
            }
            call.add(bundle);
            rows += bundle.rows().size();
            held += bundle.texts().size();
        }
        if (!call.isEmpty()) {
            calls.add(new PrefixRows(texts, call));
        }
        return calls;
    }

    /** Longest first. */
    private static List<Bundle> bundles(List<PromptAnswers> texts, Form form, int room, int textsAtOnce) {
        List<Bundle> alone = new ArrayList<>();
        for (int text = 0; text < texts.size(); text++) {
            alone.add(new Bundle(
                    List.of(text), rows(text, texts.get(text).answers().size(), form)));
        }
        Comparator<Bundle> longestFirst = Comparator.comparingInt(bundle -> -bundle.length(texts));
        alone.sort(longestFirst);
        if (!form.sharesRows) {
            return alone;
        }
        List<Bundle> shared = new ArrayList<>();
        int[] used = new int[alone.size()];
        for (Bundle bundle : alone) {
            int length = bundle.length(texts);
            int row = 0;
            while (row < shared.size()
                    && (used[row] + length > room || shared.get(row).texts().size() >= textsAtOnce)) {
                row++;
            }
            if (row == shared.size()) {
                shared.add(new Bundle(new ArrayList<>(), List.of(new ArrayList<>())));
            }
            shared.get(row).texts().addAll(bundle.texts());
            shared.get(row).rows().get(0).addAll(bundle.rows().get(0));
            used[row] += length;
        }
        shared.sort(longestFirst);
        return shared;
    }

    private static List<List<Piece>> rows(int text, int answers, Form form) {
        List<Piece> pieces = form.sharesPrompts
                ? List.of(new Piece(text, 0, answers))
                : IntStream.range(0, answers)
                        .mapToObj(a -> new Piece(text, a, 1))
                        .toList();
        return form.sharesRows ? List.of(pieces) : pieces.stream().map(List::of).toList();
    }

    private static void check(PromptAnswers text, ModelConfig config) {
        Arrays.stream(text.prompt()).forEach(id -> Batches.checkId(config, id));
        text.answers().forEach(answer -> Arrays.stream(answer).forEach(id -> Batches.checkId(config, id)));
        if (text.longest() - 1 > config.maxPositions()) { // the last token is only a target
            throw new IllegalArgumentException("A prompt of " + text.prompt().length + " tokens with an answer of "
                    + (text.longest() - text.prompt().length) + " is longer than the model's "
                    + config.maxPositions() + " positions");
        }
    }

    // ---- rows -------------------------------------------------------------------------------------------------------

    private void fill(int row, List<Piece> pieces) {
        int at = 0;
        int segment = 0;
        for (Piece piece : pieces) {
            int f = Arrays.binarySearch(which, piece.text());
            int[] prompt = texts[f].prompt();
            int ofPrompt = ++segment;
            for (int t = 0; t < prompt.length; t++) {
                put(row, at++, prompt[t], t, ofPrompt, NONE);
            }
            int lastOfPrompt = at - 1;
            for (int a = piece.firstAnswer(); a < piece.firstAnswer() + piece.answers(); a++) {
                int[] answer = texts[f].answers().get(a);
                boolean goesOn = piece.answers() > 1;
                int own = goesOn ? ++segment : ofPrompt;
                places[f][a] = new int[answer.length];
                places[f][a][0] = row * ids[row].length + lastOfPrompt;
                for (int t = 0; t < answer.length - 1; t++) {
                    places[f][a][t + 1] = row * ids[row].length + at;
                    put(row, at++, answer[t], prompt.length + t, own, goesOn ? ofPrompt : NONE);
                }
                continues |= goesOn;
            }
        }
        together |= segment > 1;
    }

    private void put(int row, int at, int id, int position, int segment, int prefix) {
        ids[row][at] = id;
        positions[row][at] = position;
        segments[row][at] = segment;
        prefixes[row][at] = prefix;
    }

    /** Which of the given texts these rows hold, ascending. */
    int[] which() {
        return which.clone();
    }

    /** Positions of all rows, padding included. */
    int tokens() {
        return ids.length * ids[0].length;
    }

    /** What the program's methods for answers take: ids, positions, segments, places, targets. */
    List<NDArray> inputs(PtNDManager call) {
        long[] targets = Arrays.stream(texts)
                .flatMap(text -> text.answers().stream())
                .flatMapToInt(Arrays::stream)
                .asLongStream()
                .toArray();
        long[] flatPlaces = Arrays.stream(places)
                .flatMap(Arrays::stream)
                .flatMapToInt(Arrays::stream)
                .asLongStream()
                .toArray();
        return List.of(
                Batches.tensor(call, ids),
                Batches.tensor(call, positions),
                segments(call),
                call.create(flatPlaces),
                call.create(targets));
    }

    private NDArray segments(PtNDManager call) {
        if (continues) {
            int[][] both = new int[2 * segments.length][];
            System.arraycopy(segments, 0, both, 0, segments.length);
            System.arraycopy(prefixes, 0, both, segments.length, prefixes.length);
            return Batches.tensor(call, both).reshape(new Shape(2, segments.length, segments[0].length));
        }
        return together ? Batches.tensor(call, segments) : Batches.none(call);
    }

    // ---- what is said about them ------------------------------------------------------------------------------------

    /** Of each text's answers' tokens, from one value a target. */
    double[][][] logProbabilities(float[] flat) {
        double[][][] values = new double[places.length][][];
        int at = 0;
        for (int f = 0; f < places.length; f++) {
            values[f] = new double[places[f].length][];
            for (int a = 0; a < places[f].length; a++) {
                values[f][a] = new double[places[f][a].length];
                for (int t = 0; t < values[f][a].length; t++) {
                    values[f][a][t] = flat[at++];
                }
            }
        }
        return values;
    }

    /** What an objective is asked about. */
    AnswerCall call(float[] flatLogProbabilities) {
        double[][][] none = new double[texts.length][][];
        for (int f = 0; f < none.length; f++) {
            none[f] = new double[texts[f].answers().size()][0];
        }
        return new AnswerCall(logProbabilities(flatLogProbabilities), none);
    }

    /**
     * The objective's slopes, one a target.
     *
     * @throws IllegalStateException if one is not a finite float32
     */
    float[] slopes(AnswerCall call) {
        int count = Arrays.stream(places)
                .flatMap(Arrays::stream)
                .mapToInt(of -> of.length)
                .sum();
        float[] flat = new float[count];
        int at = 0;
        for (int f = 0; f < places.length; f++) {
            for (int a = 0; a < places[f].length; a++) {
                for (double slope : call.logProbabilitySlopes(f, a)) {
                    flat[at] = (float) slope;
                    if (!Float.isFinite(flat[at++])) {
                        throw new IllegalStateException("The objective's loss is finite, but its slope at answer " + a
                                + " of text " + which[f] + " is " + slope + ". No gradient was added for it");
                    }
                }
            }
        }
        return flat;
    }
}

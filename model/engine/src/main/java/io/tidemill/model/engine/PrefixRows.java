package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

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
 * left out, unless states are scored. A prompt with one answer is one segment.
 *
 * <p>The quadratic part of attention sees the whole row, so texts share {@link #ROOM} tokens, and the answers of one text
 * {@link #LONGEST}.
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

    /** Tokens of a row that the answers to one prompt share; where there are more, each of several rows has the prompt. */
    static final int LONGEST = 1024;

    private static final int NONE = -1;

    /** Texts that share rows, and of each row which answers of which text it holds. */
    private record Bundle(List<Integer> texts, List<List<Piece>> rows) {
        int length(List<PromptAnswers> all, boolean scored) {
            return rows.stream()
                    .mapToInt(row -> row.stream()
                            .mapToInt(piece -> piece.length(all, scored))
                            .sum())
                    .max()
                    .orElseThrow();
        }
    }

    /** A prompt once, and some of its answers. */
    private record Piece(int text, int firstAnswer, int answers) {
        int length(List<PromptAnswers> all, boolean scored) {
            PromptAnswers text = all.get(this.text);
            return text.prompt().length
                    + text.answers().subList(firstAnswer, firstAnswer + answers).stream()
                            .mapToInt(answer -> scored ? answer.length : answer.length - 1)
                            .sum();
        }
    }

    private final DecoderHead head;
    private final boolean scored; // whether states are, and so each answer's last token is read
    private final int[] which;
    private final PromptAnswers[] texts;
    private final int[][] ids;
    private final int[][] positions;
    private final int[][] segments;
    private final int[][] prefixes;
    private final int[][][] places; // of what predicts each text's answers' tokens, counted over all rows
    private final int[][] ends; // of each text's answers' last states
    private boolean continues; // whether any segment goes on from another
    private boolean together; // whether any row holds several segments

    private PrefixRows(List<PromptAnswers> all, DecoderHead head, boolean scored, List<Bundle> bundles) {
        this.head = head;
        this.scored = scored;
        which = bundles.stream()
                .flatMap(bundle -> bundle.texts().stream())
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
        texts = Arrays.stream(which).mapToObj(all::get).toArray(PromptAnswers[]::new);
        List<List<Piece>> rows =
                bundles.stream().flatMap(bundle -> bundle.rows().stream()).toList();
        int length = bundles.stream()
                .mapToInt(bundle -> bundle.length(all, scored))
                .max()
                .orElseThrow();
        ids = new int[rows.size()][length];
        positions = new int[rows.size()][length];
        segments = new int[rows.size()][length];
        prefixes = new int[rows.size()][length];
        places = new int[which.length][][];
        ends = new int[which.length][];
        for (int f = 0; f < which.length; f++) {
            places[f] = new int[texts[f].answers().size()][];
            ends[f] = new int[texts[f].answers().size()];
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
     * @param scored       whether states are scored too
     * @param tokensAtOnce that a call holds at most, padding included, unless one text alone is longer
     * @param textsAtOnce  that a call holds at most
     */
    static List<PrefixRows> plan(
            List<PromptAnswers> texts,
            ModelConfig config,
            boolean scored,
            Form form,
            int tokensAtOnce,
            int textsAtOnce) {
        if (textsAtOnce < 1) {
            throw new IllegalArgumentException("A call holds at least 1 text, but textsAtOnce was " + textsAtOnce);
        }
        texts.forEach(text -> check(text, config, scored));
        List<PrefixRows> calls = new ArrayList<>();
        List<Bundle> call = new ArrayList<>();
        int rows = 0;
        int held = 0;
        for (Bundle bundle : bundles(texts, scored, form, Math.min(ROOM, tokensAtOnce), textsAtOnce)) {
            int longest = (call.isEmpty() ? bundle : call.get(0)).length(texts, scored);
            long tokens = (long) (rows + bundle.rows().size()) * longest;
            if (!call.isEmpty()
                    && (tokens > tokensAtOnce || held + bundle.texts().size() > textsAtOnce)) {
                calls.add(new PrefixRows(texts, config.head(), scored, call));
                call = new ArrayList<>();
                rows = 0;
                held = 0;
            }
            call.add(bundle);
            rows += bundle.rows().size();
            held += bundle.texts().size();
        }
        if (!call.isEmpty()) {
            calls.add(new PrefixRows(texts, config.head(), scored, call));
        }
        return calls;
    }

    /** Longest first. */
    private static List<Bundle> bundles(
            List<PromptAnswers> texts, boolean scored, Form form, int room, int textsAtOnce) {
        List<Bundle> alone = new ArrayList<>();
        for (int text = 0; text < texts.size(); text++) {
            alone.add(new Bundle(List.of(text), rows(text, texts, scored, form)));
        }
        Comparator<Bundle> longestFirst = Comparator.comparingInt(bundle -> -bundle.length(texts, scored));
        alone.sort(longestFirst);
        if (!form.sharesRows) {
            return alone;
        }
        List<Bundle> shared = new ArrayList<>();
        int[] used = new int[alone.size()];
        for (Bundle bundle : alone) {
            int length = bundle.length(texts, scored);
            int row = 0;
            while (row < shared.size()
                    && (used[row] + length > room || shared.get(row).texts().size() >= textsAtOnce)) {
                row++;
            }
            if (bundle.rows().size() > 1) {
                used[shared.size()] = room; // nobody else has a place in it
                shared.add(bundle);
                continue;
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

    /** One row, or several where a prompt with all its answers is longer than a row should be. */
    private static List<List<Piece>> rows(int text, List<PromptAnswers> texts, boolean scored, Form form) {
        int answers = texts.get(text).answers().size();
        Piece whole = new Piece(text, 0, answers);
        int together = form.sharesPrompts ? answersOfRow(whole, texts, scored) : 1;
        List<Piece> pieces = IntStream.iterate(0, first -> first < answers, first -> first + together)
                .mapToObj(first -> new Piece(text, first, Math.min(together, answers - first)))
                .toList();
        boolean oneRow = form.sharesRows && whole.length(texts, scored) <= LONGEST;
        return oneRow ? List.of(pieces) : pieces.stream().map(List::of).toList();
    }

    /** As few rows as keep to the longest, with equally many answers. */
    private static int answersOfRow(Piece whole, List<PromptAnswers> texts, boolean scored) {
        int prompt = texts.get(whole.text()).prompt().length;
        int ofAnswers = whole.length(texts, scored) - prompt;
        int room = Math.max(1, LONGEST - prompt);
        int rows = Math.max(1, Math.min(whole.answers(), (ofAnswers + room - 1) / room));
        return (whole.answers() + rows - 1) / rows;
    }

    private static void check(PromptAnswers text, ModelConfig config, boolean scored) {
        Arrays.stream(text.prompt()).forEach(id -> Batches.checkId(config, id));
        text.answers().forEach(answer -> Arrays.stream(answer).forEach(id -> Batches.checkId(config, id)));
        if (text.longest() - (scored ? 0 : 1) > config.maxPositions()) { // unscored, the last token is only a target
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
                for (int t = 0; t < answer.length - (scored ? 0 : 1); t++) {
                    if (t + 1 < answer.length) {
                        places[f][a][t + 1] = row * ids[row].length + at;
                    }
                    put(row, at++, answer[t], prompt.length + t, own, goesOn ? ofPrompt : NONE);
                }
                if (scored) {
                    int[] behind = new int[answer.length + 1]; // the state before each token and that after the last
                    System.arraycopy(places[f][a], 0, behind, 0, answer.length);
                    behind[answer.length] = row * ids[row].length + at - 1;
                    ends[f][a] = behind[Scorer.lastOf(answer, head.padTokenId()) + 1];
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

    /** Positions of a row, padding included. */
    int length() {
        return ids[0].length;
    }

    /** Positions of all rows, padding included. */
    int tokens() {
        return ids.length * ids[0].length;
    }

    /** Ids, positions and segments. */
    List<NDArray> inputs(PtNDManager call) {
        return List.of(Batches.tensor(call, ids), Batches.tensor(call, positions), segments(call));
    }

    /** Places and targets; none where there is no head over the vocabulary. */
    List<NDArray> targets(PtNDManager call) {
        if (!head.speaks()) {
            return List.of(Batches.none(call), Batches.none(call));
        }
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
        return List.of(call.create(flatPlaces), call.create(targets));
    }

    /** Places of the states that are scored: of each answer those before its tokens, and the last. */
    NDArray marks(PtNDManager call) {
        if (!scored) {
            return Batches.none(call);
        }
        LongStream.Builder marks = LongStream.builder();
        for (int f = 0; f < places.length; f++) {
            for (int a = 0; a < places[f].length; a++) {
                for (int place : places[f][a]) {
                    marks.add(place);
                }
                marks.add(ends[f][a]);
            }
        }
        return call.create(marks.build().toArray());
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

    /** Of each text's answers' tokens, from one value a target; none where there is no head over the vocabulary. */
    double[][][] logProbabilities(float[] flat) {
        return of(flat, length -> head.speaks() ? length : 0);
    }

    /** Of each text's answers' states, from one value a mark; none where states are not scored. */
    double[][][] values(float[] flat) {
        return of(flat, length -> scored ? length + 1 : 0);
    }

    private double[][][] of(float[] flat, IntUnaryOperator countOfAnswer) {
        double[][][] values = new double[places.length][][];
        int at = 0;
        for (int f = 0; f < places.length; f++) {
            values[f] = new double[places[f].length][];
            for (int a = 0; a < places[f].length; a++) {
                values[f][a] = new double[countOfAnswer.applyAsInt(places[f][a].length)];
                for (int t = 0; t < values[f][a].length; t++) {
                    values[f][a][t] = flat[at++];
                }
            }
        }
        return values;
    }

    /** Puts what was found for these rows' texts where it belongs among all texts. */
    void spread(double[][][] found, double[][][] all) {
        for (int f = 0; f < found.length; f++) {
            all[which[f]] = found[f];
        }
    }

    /**
     * The objective's slopes, one a target.
     *
     * @throws IllegalStateException if one is not a finite float32
     */
    float[] slopes(AnswerCall call) {
        return flat("log-probability", call::logProbabilitySlopes);
    }

    /** Its slopes of values, one a mark; likewise. */
    float[] valueSlopes(AnswerCall call) {
        return flat("value", call::valueSlopes);
    }

    private float[] flat(String what, BiFunction<Integer, Integer, double[]> slopes) {
        List<Float> all = new ArrayList<>();
        for (int f = 0; f < places.length; f++) {
            for (int a = 0; a < places[f].length; a++) {
                for (double slope : slopes.apply(f, a)) {
                    if (!Float.isFinite((float) slope)) {
                        throw new IllegalStateException("The objective's loss is finite, but its slope of a " + what
                                + " of answer " + a + " of text " + which[f] + " is " + slope
                                + ". No gradient was added for it");
                    }
                    all.add((float) slope);
                }
            }
        }
        float[] flat = new float[all.size()];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = all.get(i);
        }
        return flat;
    }
}

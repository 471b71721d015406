package io.tidemill.trainer.data;

import io.tidemill.model.engine.PackedBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;

/**
 * Lays token sequences of any length side by side into the rows of {@link PackedBatch}es, so that few positions are
 * padding.
 *
 * <p>A sequence of n tokens has n − 1 positions, each holding a token and, as its target, the next one. Positions are
 * cut into pieces of at most {@code length}; a long sequence goes on in its next piece, whose first token is the last
 * target of the piece before, so every target is predicted exactly once. Each piece is a segment of its own: nothing
 * attends across pieces. A piece without any target to learn is left out.
 *
 * <p>A piece goes into the open row that it fills best (best fit over at most {@link Policy#openRows} rows; a form of
 * bin packing: Johnson, "Near-optimal bin packing algorithms", 1973). Where none holds it whole and no more rows may be
 * opened, the policy either cuts the piece so that the fullest row is filled, or closes that row.
 *
 * <p>Rows and batches come out in an order that depends on the order of input alone.
 *
 * <p>Not for several threads.
 */
public final class Packer {
    /**
     * What happens to a piece that no open row can hold whole.
     *
     * @param openRows rows that stay open to be filled up; more find better fits and hold sequences back longer
     * @param cuts     true: the piece is cut where the fullest open row ends (documents). False: a sequence that fits
     *                 into one row is never cut, and the fullest row is closed instead (conversations)
     */
    public record Policy(int openRows, boolean cuts) {
        /** For documents: no row ends before it is full, or nearly so. */
        public static final Policy CUT = new Policy(8, true);
        /** For conversations: whole where they fit, among many open rows. */
        public static final Policy WHOLE = new Policy(64, false);

        public Policy {
            if (openRows < 1) {
                throw new IllegalArgumentException("At least one row must be open, but was " + openRows);
            }
        }
    }

    private final int rows;
    private final int length;
    private final Policy policy;
    /** A row with less space than this is as good as full; a piece is never cut shorter. */
    private final int smallest;

    private final List<Row> open = new ArrayList<>();
    private final List<Row> closed = new ArrayList<>();
    private final Queue<PackedExamples> ready = new ArrayDeque<>();

    /** Packs documents, {@link Policy#CUT}. */
    public Packer(int rows, int length) {
        this(rows, length, Policy.CUT);
    }

    /**
     * @param rows   rows of a batch; the last batch of a {@link #flush} may have fewer
     * @param length positions of a row
     */
    public Packer(int rows, int length, Policy policy) {
        if (rows < 1 || length < 1) {
            throw new IllegalArgumentException(
                    "A batch has at least 1 row of 1 position, but was " + rows + " × " + length);
        }
        this.rows = rows;
        this.length = length;
        this.policy = policy;
        this.smallest = Math.max(1, length / 64);
    }

    /** Packs all of them, the rest included. */
    public List<PackedBatch> pack(List<TrainingSequence> sequences) {
        return packWithOrigins(sequences).stream().map(PackedExamples::batch).toList();
    }

    /** As {@link #pack}, with the ids of the examples in each batch. */
    public List<PackedExamples> packWithOrigins(List<TrainingSequence> sequences) {
        sequences.forEach(this::lay);
        return drain();
    }

    /**
     * Lays one more sequence.
     *
     * @return the oldest batch that is full and was not handed out before; a very long sequence fills several, which
     *     later calls and {@link #flush} hand out
     */
    public Optional<PackedBatch> add(TrainingSequence sequence) {
        lay(sequence);
        return Optional.ofNullable(ready.poll()).map(PackedExamples::batch);
    }

    /** Closes every open row and hands out all that is left; the packer can then be used afresh. */
    public List<PackedBatch> flush() {
        return drain().stream().map(PackedExamples::batch).toList();
    }

    private List<PackedExamples> drain() {
        while (!open.isEmpty()) {
            close(open.get(0));
        }
        if (!closed.isEmpty()) {
            ready.add(emit(closed.size()));
        }
        List<PackedExamples> all = List.copyOf(ready);
        ready.clear();
        return all;
    }

    private void lay(TrainingSequence sequence) {
        if (sequence.weight() == 0) {
            return;
        }
        int positions = sequence.ids().length - 1;
        for (int from = 0; from < positions; ) {
            from = place(sequence, from, Math.min(positions, from + length));
        }
    }

    /** Places the positions from {@code from}, at most up to {@code to}, and returns where it stopped. */
    private int place(TrainingSequence sequence, int from, int to) {
        if (!learnsBetween(sequence, from, to)) {
            return to;
        }
        Row row = bestFit(to - from);
        if (row == null) {
            if (open.size() < policy.openRows()) {
                row = new Row(length);
                open.add(row);
            } else {
                row = open.stream().min(Comparator.comparingInt(Row::space)).orElseThrow();
                if (!policy.cuts()) {
                    close(row);
                    row = new Row(length);
                    open.add(row);
                }
            }
        }
        int end = from + Math.min(to - from, row.space());
        if (learnsBetween(sequence, from, end)) {
            row.append(sequence, from, end);
        }
        if (row.space() < smallest) {
            close(row);
        }
        return end;
    }

    private static boolean learnsBetween(TrainingSequence sequence, int from, int to) {
        for (int position = from; position < to; position++) {
            if (sequence.learns(position + 1)) {
                return true;
            }
        }
        return false;
    }

    private Row bestFit(int positions) {
        Row best = null;
        for (Row row : open) {
            if (row.space() >= positions && (best == null || row.space() < best.space())) {
                best = row;
            }
        }
        return best;
    }

    private void close(Row row) {
        open.remove(row);
        closed.add(row);
        if (closed.size() == rows) {
            ready.add(emit(rows));
        }
    }

    private PackedExamples emit(int count) {
        List<Row> batch = List.copyOf(closed.subList(0, count));
        closed.subList(0, count).clear();
        Set<String> exampleIds = new LinkedHashSet<>();
        batch.forEach(row -> exampleIds.addAll(row.exampleIds));
        return new PackedExamples(
                new PackedBatch(
                        batch.stream().map(row -> row.ids).toArray(int[][]::new),
                        batch.stream().map(row -> row.targets).toArray(int[][]::new),
                        batch.stream().map(row -> row.segments).toArray(int[][]::new),
                        batch.stream().allMatch(row -> row.alike)
                                ? new float[0][]
                                : batch.stream().map(row -> row.weights).toArray(float[][]::new)),
                List.copyOf(exampleIds));
    }

    /** A row being filled from the left. */
    private static final class Row {
        final int[] ids;
        final int[] targets;
        final int[] segments;
        final float[] weights;
        final List<String> exampleIds = new ArrayList<>();
        boolean alike = true; // every token counts once
        int used;

        Row(int length) {
            ids = new int[length];
            targets = new int[length];
            segments = new int[length];
            weights = new float[length];
            Arrays.fill(targets, PackedBatch.IGNORED);
        }

        int space() {
            return ids.length - used;
        }

        void append(TrainingSequence sequence, int from, int to) {
            exampleIds.add(sequence.exampleId());
            int segment = exampleIds.size();
            alike &= sequence.weight() == 1;
            for (int position = from; position < to; position++, used++) {
                ids[used] = sequence.ids()[position];
                targets[used] = sequence.learns(position + 1) ? sequence.ids()[position + 1] : PackedBatch.IGNORED;
                segments[used] = segment;
                weights[used] = (float) sequence.weight();
            }
        }
    }
}

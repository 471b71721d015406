package io.tidemill.model.engine;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * Answers that are written together, a token of each in one pass over the weights. Answers come and go between calls.
 * Used by one thread at a time.
 *
 * <p>Native memory: keys and values for as many rows and positions as there have been at once, rounded up to powers of
 * two; nothing while no answer is being written.
 */
final class AnswerBatch implements AutoCloseable {
    private static final int FEWEST_POSITIONS = 64;

    private final LanguageModel model;
    private final List<AnswerRow> rows = new ArrayList<>();
    private PtNDManager owner; // of the cache, null while there is none
    private TorchProgram.Opaque cache;
    private int places;
    private int positions;
    private boolean penalises;

    AnswerBatch(LanguageModel model) {
        this.model = model;
    }

    /** Answers that are being written. */
    int size() {
        return rows.size();
    }

    /** Reads the prompt; the answer's first token comes with the next call of {@link #write}. */
    void add(AnswerRow row) {
        makeRoom(rows.size() + 1, row.filled() + 1, row.penalises());
        try (PtNDManager step = TorchProgram.open()) {
            model.program()
                    .infer(
                            step,
                            "prefill",
                            model.master().array(),
                            model.compute(),
                            model.packed(),
                            cache,
                            rows.size(),
                            step.create(
                                    Arrays.stream(row.prompt()).asLongStream().toArray()));
        }
        rows.add(row);
    }

    /**
     * Writes up to so many tokens more of every answer, and lets those go that have ended.
     *
     * @return the answers that have ended
     */
    List<AnswerRow> write(int tokens) {
        OptionalInt room = rows.stream().mapToInt(AnswerRow::room).min();
        if (room.isEmpty()) {
            return List.of();
        }
        int count = Math.min(tokens, room.getAsInt());
        int filled = rows.stream().mapToInt(AnswerRow::filled).max().getAsInt();
        makeRoom(rows.size(), filled + count, false);
        double[] made = call(count);
        int n = rows.size();
        int m = made.length / 2 / n;
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < m && !rows.get(r).ended(); i++) {
                rows.get(r).hear((int) made[i * n + r], (float) made[(m + i) * n + r]);
            }
        }
        return leave();
    }

    private double[] call(int count) {
        int n = rows.size();
        double[] chances = new double[count * n];
        double[] settings = new double[5 * n];
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < count; i++) {
                chances[i * n + r] = rows.get(r).chance(i);
            }
            System.arraycopy(rows.get(r).settings(), 0, settings, 5 * r, 5);
        }
        try (PtNDManager step = TorchProgram.open()) {
            return model.program()
                    .inferOften(
                            step,
                            "generate",
                            model.master().array(),
                            model.compute(),
                            model.packed(),
                            cache,
                            step.create(rows.stream().mapToLong(AnswerRow::last).toArray()),
                            rows.stream().mapToLong(AnswerRow::filled).toArray(),
                            step.create(chances, new Shape(count, n)),
                            step.create(settings, new Shape(n, 5)),
                            rows.stream()
                                    .mapToInt(AnswerRow::kind)
                                    .reduce(rows.get(0).kind(), (a, b) -> a == b ? a : 3),
                            rows.stream()
                                    .flatMapToLong(AnswerRow::stops)
                                    .distinct()
                                    .toArray())
                    .get(0)
                    .toDoubleArray();
        }
    }

    // ---- places -----------------------------------------------------------------------------------------------------

    /** The last row takes the place of one that has ended, so that the others stand one behind the other. */
    private List<AnswerRow> leave() {
        List<AnswerRow> ended = rows.stream().filter(AnswerRow::ended).toList();
        for (int r = rows.size() - 1; r >= 0 && !ended.isEmpty(); r--) {
            if (!rows.get(r).ended()) {
                continue;
            }
            AnswerRow last = rows.remove(rows.size() - 1);
            if (r < rows.size()) {
                rows.set(r, last);
                try (PtNDManager step = TorchProgram.open()) {
                    model.program().infer(step, "move", cache, rows.size(), r, last.filled());
                }
            }
        }
        if (rows.isEmpty()) {
            close();
        }
        return ended;
    }

    private void makeRoom(int wantedRows, int wantedPositions, boolean penalty) {
        boolean seen = penalises || penalty;
        if (owner != null && wantedRows <= places && wantedPositions <= positions && seen == penalises) {
            return;
        }
        int morePlaces = Math.max(places, powerOfTwo(wantedRows));
        int morePositions = Math.min(
                model.config().maxPositions(),
                Math.max(positions, powerOfTwo(Math.max(FEWEST_POSITIONS, wantedPositions))));
        PtNDManager newOwner = TorchProgram.open();
        try (PtNDManager step = TorchProgram.open()) {
            TorchProgram.Opaque larger =
                    model.program().keep(newOwner, "new_cache", model.compute(), morePlaces, morePositions, seen);
            if (!rows.isEmpty()) {
                int filled = rows.stream().mapToInt(AnswerRow::filled).max().getAsInt();
                model.program().infer(step, "carry_over", cache, larger, rows.size(), filled);
            }
            if (owner != null) {
                owner.close();
            }
            owner = newOwner;
            cache = larger;
            places = morePlaces;
            positions = morePositions;
            penalises = seen;
        } catch (RuntimeException e) {
            newOwner.close();
            throw e;
        }
    }

    private static int powerOfTwo(int atLeast) {
        return Integer.highestOneBit(Math.max(1, atLeast - 1)) * (atLeast > 1 ? 2 : 1);
    }

    /** Lets go of all answers, ended or not, and of the memory. The batch may be used again. */
    @Override
    public void close() {
        rows.clear();
        if (owner != null) {
            owner.close();
        }
        owner = null;
        cache = null;
        places = 0;
        positions = 0;
        penalises = false;
    }
}

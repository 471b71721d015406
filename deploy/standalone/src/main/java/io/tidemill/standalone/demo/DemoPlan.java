package io.tidemill.standalone.demo;

import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.v1.Split;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * What the demo sends, in its order: the exam, then a batch for each round.
 *
 * <p>The exam is what the split function holds out. It goes first, so that the gate of the very first round has all of
 * it; every producer may know the split function, and only the gate reads what it holds out.
 *
 * @param exam    passages and corrections that are held out
 * @param batches what is learned from, round by round
 */
record DemoPlan(Batch exam, List<Batch> batches) {
    /** The novel is spread over this many rounds; later ones have corrections alone. */
    static final int ROUNDS_WITH_PASSAGES = 4;

    record Batch(List<CorpusDocument> passages, List<Correction> corrections) {
        Batch {
            passages = List.copyOf(passages);
            corrections = List.copyOf(corrections);
        }

        int size() {
            return passages.size() + corrections.size();
        }
    }

    DemoPlan {
        batches = List.copyOf(batches);
    }

    /**
     * @param pairsPerRound corrections in a batch; the last batch may have fewer
     * @param seed          of the order in which corrections are sent, so that each batch has rules of all kinds
     */
    static DemoPlan of(
            List<CorpusDocument> novel,
            List<Correction> corrections,
            SplitFunction split,
            int pairsPerRound,
            long seed) {
        List<CorpusDocument> heldOutPassages = new ArrayList<>();
        List<CorpusDocument> passages = new ArrayList<>();
        for (CorpusDocument passage : novel) {
            (split.of(groupOf(passage)) == Split.HELD_OUT ? heldOutPassages : passages).add(passage);
        }
        List<Correction> heldOutCorrections = new ArrayList<>();
        List<Correction> learned = new ArrayList<>();
        for (Correction correction : corrections) {
            (split.of(groupOf(correction)) == Split.HELD_OUT ? heldOutCorrections : learned).add(correction);
        }
        Collections.shuffle(learned, new Random(seed));

        int rounds = Math.max(1, (learned.size() + pairsPerRound - 1) / pairsPerRound);
        List<Batch> batches = IntStream.range(0, rounds)
                .mapToObj(round -> new Batch(
                        share(passages, round, ROUNDS_WITH_PASSAGES),
                        learned.subList(round * pairsPerRound, Math.min(learned.size(), (round + 1) * pairsPerRound))))
                .toList();
        return new DemoPlan(new Batch(heldOutPassages, heldOutCorrections), batches);
    }

    /** A passage is a group of its own: by chapters the exam would be a single one, 13 passages. */
    static String groupOf(CorpusDocument passage) {
        return passage.id();
    }

    /** Everything that one rule corrects stays on one side of the split. */
    static String groupOf(Correction correction) {
        return correction.ruleId();
    }

    /** The {@code index}-th of {@code count} runs of nearly equal length; empty after the last. */
    private static <T> List<T> share(List<T> all, int index, int count) {
        if (index >= count) {
            return List.of();
        }
        long size = all.size();
        return all.subList((int) (size * index / count), (int) (size * (index + 1) / count));
    }
}

package io.tidemill.model.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns a byte-level BPE vocabulary from text: the most frequent pair of neighbouring tokens becomes a token, again
 * and again.
 *
 * <p>Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units" (2016), arXiv:1508.07909,
 * algorithm 1, over bytes and words split as GPT-2 splits them. Among pairs of one count the lowest ids go first, as in
 * Hugging Face's {@code BpeTrainer}, whose vocabularies and merges this equals. Each document is given whole to
 * {@link #add}; memory grows with the distinct words, not with the text.
 */
public final class BpeTrainer {
    /** How GPT-2 cuts text into words, with Unicode's notion of space. */
    private static final Pattern WORD = Pattern.compile(
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            Pattern.UNICODE_CHARACTER_CLASS);

    private final int vocabularySize;
    private final List<String> specialTokens;
    private final Map<String, long[]> occurrences = new LinkedHashMap<>();

    /**
     * @param vocabularySize tokens in all: special ones, 256 bytes, the rest merges
     * @param specialTokens  get the first ids, in this order
     */
    public BpeTrainer(int vocabularySize, List<String> specialTokens) {
        if (vocabularySize < specialTokens.size() + 256) {
            throw new IllegalArgumentException("vocabulary size must hold " + specialTokens.size()
                    + " special tokens and 256 bytes, but was " + vocabularySize);
        }
        this.vocabularySize = vocabularySize;
        this.specialTokens = List.copyOf(specialTokens);
    }

    /** Counts the words of one document. */
    public void add(String text) {
        Matcher words = WORD.matcher(text);
        while (words.find()) {
            occurrences.computeIfAbsent(words.group(), word -> new long[1])[0]++;
        }
    }

    /** Learns the vocabulary from all that was added. */
    public BpeVocabulary train() {
        return new Run().train();
    }

    /** A pair of neighbouring token ids, packed: left in the high half, right in the low one. */
    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    /** A pair waiting to be merged; {@code count} may be older than the truth and is checked when it comes up. */
    private record Candidate(long pair, long count, Collection<Word> words) {
        static final Comparator<Candidate> BEST_FIRST =
                Comparator.comparingLong(Candidate::count).reversed().thenComparingLong(Candidate::pair);
    }

    /** A distinct word as its tokens so far, and how often it occurs. */
    private static final class Word {
        private final long occurrences;
        private int[] ids;

        Word(int[] ids, long occurrences) {
            this.ids = ids;
            this.occurrences = occurrences;
        }

        /** Replaces each {@code left right} from the left, and tells which neighbourhoods came and went. */
        void merge(int left, int right, int merged, Changes changes) {
            int length = ids.length;
            int write = 0;
            int read = 0;
            while (read < length) {
                if (read + 1 < length && ids[read] == left && ids[read + 1] == right) {
                    if (write > 0) {
                        changes.gone(ids[write - 1], left, this);
                        changes.come(ids[write - 1], merged, this);
                    }
                    if (read + 2 < length) {
                        changes.gone(right, ids[read + 2], this);
                        changes.come(merged, ids[read + 2], this);
                    }
                    ids[write++] = merged;
                    read += 2;
                } else {
                    ids[write++] = ids[read++];
                }
            }
            ids = Arrays.copyOf(ids, write);
        }
    }

    /** What one merge did to the counts of pairs, and where pairs came to be. */
    private static final class Changes {
        private final Map<Long, long[]> counts;
        private final Map<Long, Set<Word>> places = new HashMap<>();

        Changes(Map<Long, long[]> counts) {
            this.counts = counts;
        }

        void gone(int left, int right, Word word) {
            counts.computeIfAbsent(pair(left, right), pair -> new long[1])[0] -= word.occurrences;
        }

        void come(int left, int right, Word word) {
            long pair = pair(left, right);
            counts.computeIfAbsent(pair, absent -> new long[1])[0] += word.occurrences;
            places.computeIfAbsent(pair, absent -> new LinkedHashSet<>()).add(word);
        }
    }

    /** One training: the state that grows merge by merge. */
    private final class Run {
        private final Map<String, Integer> ids = new LinkedHashMap<>();
        private final List<String> tokens = new ArrayList<>();
        private final Map<Long, long[]> counts = new HashMap<>();
        private final PriorityQueue<Candidate> queue = new PriorityQueue<>(Candidate.BEST_FIRST);

        BpeVocabulary train() {
            specialTokens.forEach(this::id);
            alphabet().forEach(this::id);
            enqueue(words());

            // A pair that comes up twice keeps its later rank, so it is removed before it is put again.
            Map<Long, BpeVocabulary.Merge> merges = new LinkedHashMap<>();
            while (tokens.size() < vocabularySize && !queue.isEmpty()) {
                Candidate best = queue.poll();
                long count = counts.get(best.pair())[0];
                if (count < 1) {
                    continue;
                }
                if (count != best.count()) {
                    queue.add(new Candidate(best.pair(), count, best.words()));
                    continue;
                }
                int left = (int) (best.pair() >> 32);
                int right = (int) best.pair();
                int merged = id(tokens.get(left) + tokens.get(right));
                merges.remove(best.pair());
                merges.put(best.pair(), new BpeVocabulary.Merge(tokens.get(left), tokens.get(right)));
                Changes changes = new Changes(counts);
                best.words().forEach(word -> word.merge(left, right, merged, changes));
                enqueue(changes);
            }
            return new BpeVocabulary(specialTokens, tokens, List.copyOf(merges.values()));
        }

        private Changes words() {
            Changes changes = new Changes(counts);
            occurrences.forEach((text, count) -> {
                String written = ByteLevel.write(text);
                int[] word = written.chars()
                        .map(character -> ids.get(String.valueOf((char) character)))
                        .toArray();
                Word counted = new Word(word, count[0]);
                for (int i = 0; i + 1 < word.length; i++) {
                    changes.come(word[i], word[i + 1], counted);
                }
            });
            return changes;
        }

        private void enqueue(Changes changes) {
            changes.places.forEach((pair, words) -> {
                long count = counts.get(pair)[0];
                if (count > 0) {
                    queue.add(new Candidate(pair, count, words));
                }
            });
        }

        private int id(String token) {
            return ids.computeIfAbsent(token, absent -> {
                tokens.add(absent);
                return tokens.size() - 1;
            });
        }

        /** The 256 characters of {@link ByteLevel}, in their own order. */
        private List<String> alphabet() {
            List<String> alphabet = new ArrayList<>();
            for (int value = 0; value < 256; value++) {
                alphabet.add(String.valueOf(ByteLevel.character(value)));
            }
            alphabet.sort(Comparator.naturalOrder());
            return alphabet;
        }
    }
}

package io.tidemill.feedback.testing;

import io.tidemill.feedback.answer.Classification;
import io.tidemill.feedback.answer.ClassifierEngine;
import io.tidemill.feedback.answer.EncodedText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Reads a letter as a token, 512 of them, and finds a text the more spam the longer it is. It fails at a text that begins
 * with "explode", and cannot read one that begins with "unreadable". One that begins with "several" may have several labels,
 * one that begins with "score" gets its length as a score. It waits before each pass while {@link #PACE} is set.
 */
public final class FakeClassifier implements ClassifierEngine {
    /** Permits for a pass each; null reads without waiting. Shared by all engines of the JVM. */
    public static volatile Semaphore PACE;

    private static final int CONTEXT = 512;

    private final String version;
    private final float[] logits;
    private final List<Integer> passes = new CopyOnWriteArrayList<>();
    private volatile boolean closed;

    public FakeClassifier(String version, float... logits) {
        this.version = version;
        this.logits = logits;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public int contextTokens() {
        return CONTEXT;
    }

    @Override
    public long parameters() {
        return 43;
    }

    @Override
    public EncodedText encode(String text) {
        if (text.startsWith("unreadable")) {
            throw new IllegalArgumentException("it spells a control token");
        }
        return new EncodedText(text.chars().limit(CONTEXT).toArray(), text.length() > CONTEXT);
    }

    @Override
    public List<Classification> classify(List<EncodedText> texts) {
        if (closed) {
            throw new IllegalStateException(version + " was asked after it had been closed");
        }
        await();
        passes.add(texts.stream().mapToInt(text -> text.ids().length).max().orElseThrow() * texts.size());
        return texts.stream().map(this::classification).toList();
    }

    private static void await() {
        Semaphore pace = PACE;
        try {
            if (pace != null && !pace.tryAcquire(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("no permit to read for 60 s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private Classification classification(EncodedText text) {
        String read = new String(text.ids(), 0, text.ids().length);
        if (read.startsWith("ex")) {
            throw new IllegalStateException("the fake was asked to explode");
        }
        if (read.startsWith("score")) {
            return new Classification.Score(read.length());
        }
        if (read.startsWith("several")) {
            return new Classification.SeveralLabels(severalLabels());
        }
        double spam = text.ids().length / 1024.0;
        Map<String, Double> probabilities = new LinkedHashMap<>();
        probabilities.put("ham", 1 - spam);
        probabilities.put("spam", spam);
        return new Classification.OneLabel(probabilities);
    }

    /** Twelve, of which the first four are rather right than wrong, and the fifth neither. */
    private static Map<String, Double> severalLabels() {
        Map<String, Double> probabilities = new LinkedHashMap<>();
        for (int label = 0; label < 12; label++) {
            probabilities.put("label-" + label, (12 - label) / 16.0);
        }
        return probabilities;
    }

    /** Tokens of each pass so far, with padding. */
    public List<Integer> passes() {
        return List.copyOf(passes);
    }

    @Override
    public float[] probeLogits(int[] ids) {
        return logits.clone();
    }

    @Override
    public void close() {
        closed = true;
    }

    public boolean closed() {
        return closed;
    }
}

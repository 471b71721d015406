package io.tidemill.feedback.testing;

import io.tidemill.feedback.answer.Classification;
import io.tidemill.feedback.answer.ClassifierEngine;
import io.tidemill.feedback.answer.EncodedText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a letter as a token, 512 of them, and finds a text the more spam the longer it is. It fails at a text that begins
 * with "explode", and cannot read one that begins with "unreadable".
 */
public final class FakeClassifier implements ClassifierEngine {
    private static final int CONTEXT = 512;

    private final String version;
    private final float[] logits;
    private final List<Integer> passes = new ArrayList<>();
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
    public synchronized List<Classification> classify(List<EncodedText> texts) {
        if (closed) {
            throw new IllegalStateException(version + " was asked after it had been closed");
        }
        passes.add(texts.stream().mapToInt(text -> text.ids().length).max().orElseThrow() * texts.size());
        return texts.stream().map(this::classification).toList();
    }

    private Classification classification(EncodedText text) {
        if (text.ids()[0] == 'e' && text.ids()[1] == 'x') {
            throw new IllegalStateException("the fake was asked to explode");
        }
        double spam = text.ids().length / 1024.0;
        Map<String, Double> probabilities = new LinkedHashMap<>();
        probabilities.put("ham", 1 - spam);
        probabilities.put("spam", spam);
        return new Classification.OneLabel(probabilities);
    }

    /** Tokens of each pass so far, with padding. */
    public synchronized List<Integer> passes() {
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
}

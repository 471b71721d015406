package io.tidemill.feedback.testing;

import io.tidemill.feedback.answer.Answer;
import io.tidemill.feedback.answer.AnswerEngine;
import io.tidemill.feedback.answer.AnswerSettings;
import io.tidemill.feedback.answer.Piece;
import io.tidemill.feedback.answer.PieceListener;
import io.tidemill.feedback.answer.Question;
import io.tidemill.model.text.ChatMessage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Answers with the words "{@code <version> answers <last message>}", one word a token, as often as the settings ask for:
 * choice, seed and temperature change nothing. It waits before each token while {@link #PACE} is set, and for ever at the
 * word "wait" until it is cancelled or released.
 */
public final class FakeEngine implements AnswerEngine {
    /** Permits to say a word each; null says them without waiting. Shared by all engines of the JVM. */
    public static volatile Semaphore PACE;
    /** Counted down when an answer has been begun. */
    public static volatile CountDownLatch BEGUN = new CountDownLatch(0);

    /** The token that ends an answer which is not cut; nobody is shown it. */
    public static final int END = 99;

    private static final int CONTEXT = 64;

    private final String version;
    private final float[] logits;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final java.util.concurrent.atomic.AtomicInteger inside = new java.util.concurrent.atomic.AtomicInteger();
    private volatile boolean closedInUse;

    public FakeEngine(String version, float... logits) {
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
        return 42;
    }

    @Override
    public int[] promptTokens(Question question) {
        String text = question.messages().stream().map(ChatMessage::content).reduce("", (a, b) -> a + " " + b);
        if (text.contains("untemplatable")) {
            throw new IllegalArgumentException("roles must alternate");
        }
        return text.trim().chars().filter(c -> c == ' ').map(c -> 1).toArray().length == 0
                ? new int[] {word(text)}
                : Arrays.stream(text.trim().split(" "))
                        .mapToInt(FakeEngine::word)
                        .toArray();
    }

    private static int word(String text) {
        return text.hashCode() & 0xffff;
    }

    @Override
    public Answer answer(int[] prompt, AnswerSettings settings, PieceListener listener) {
        if (closed.get()) {
            throw new IllegalStateException(version + " was asked after it had been closed");
        }
        inside.incrementAndGet();
        try {
            return speak(prompt, settings, listener);
        } finally {
            inside.decrementAndGet();
        }
    }

    private Answer speak(int[] prompt, AnswerSettings settings, PieceListener listener) {
        if (prompt[prompt.length - 1] == word("explode")) {
            throw new IllegalStateException("the fake was asked to explode");
        }
        BEGUN.countDown();
        List<String> words = List.of(version + " ", "answers ", "to ", prompt.length + " ", "words.");
        int length = Math.min(words.size(), settings.maxTokens());
        StringBuilder text = new StringBuilder();
        int said = 0;
        boolean cancelled = false;
        while (said < length && !cancelled) {
            await();
            String word = words.get(said);
            text.append(word);
            said++;
            cancelled = !listener.accept(new Piece(said, -0.5f, word, word.getBytes(StandardCharsets.UTF_8)));
        }
        int[] tokens = new int[said];
        float[] logProbabilities = new float[said];
        Arrays.setAll(tokens, i -> i + 1);
        Arrays.fill(logProbabilities, -0.5f);
        Answer.Finish finish =
                cancelled ? Answer.Finish.CANCELLED : said < words.size() ? Answer.Finish.LENGTH : Answer.Finish.STOP;
        Optional<Answer.End> end =
                finish == Answer.Finish.STOP ? Optional.of(new Answer.End(END, -0.25f)) : Optional.empty();
        return new Answer(text.toString(), "", tokens, logProbabilities, end, finish);
    }

    private static void await() {
        Semaphore pace = PACE;
        if (pace == null) {
            return;
        }
        try {
            if (!pace.tryAcquire(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("no permit to speak for 60 s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public float[] probeLogits(int[] ids) {
        return logits.clone();
    }

    @Override
    public void close() {
        if (inside.get() > 0) {
            closedInUse = true;
        }
        closed.set(true);
    }

    public boolean closed() {
        return closed.get();
    }

    /** Whether it was closed while an answer was under way. */
    public boolean closedInUse() {
        return closedInUse;
    }
}

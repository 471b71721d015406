package io.tidemill.feedback.testing;

import io.tidemill.feedback.answer.AnswerEngine;
import io.tidemill.feedback.answer.EngineLoader;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Loads {@link FakeEngine}s whose logits stand in the version's {@code fake-logits.txt}. */
@Alternative
@jakarta.annotation.Priority(1)
@Singleton
public class FakeEngineLoader implements EngineLoader {
    private static final List<FakeEngine> LOADED = new CopyOnWriteArrayList<>();

    @Override
    public AnswerEngine load(String version, Path directory) throws IOException {
        String[] numbers =
                Files.readString(directory.resolve("fake-logits.txt")).trim().split(" ");
        float[] logits = new float[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            logits[i] = Float.parseFloat(numbers[i]);
        }
        FakeEngine engine = new FakeEngine(version, logits);
        LOADED.add(engine);
        return engine;
    }

    @Override
    public Tolerance tolerance() {
        return new Tolerance(1e-3, 0);
    }

    /** All engines that this JVM has loaded. */
    public static List<FakeEngine> loaded() {
        return LOADED;
    }
}

package io.tidemill.feedback.testing;

import io.tidemill.feedback.answer.Engine;
import io.tidemill.feedback.answer.EngineLoader;
import io.tidemill.feedback.answer.Task;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Loads fakes whose logits stand in the version's {@code fake-logits.txt}: a {@link FakeEngine}, unless its
 * {@code fake-task.txt} asks for another.
 */
@Alternative
@jakarta.annotation.Priority(1)
@Singleton
public class FakeEngineLoader implements EngineLoader {
    private static final List<FakeEngine> LOADED = new CopyOnWriteArrayList<>();

    @Override
    public Engine load(String version, Path directory) throws IOException {
        String[] numbers =
                Files.readString(directory.resolve("fake-logits.txt")).trim().split(" ");
        float[] logits = new float[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            logits[i] = Float.parseFloat(numbers[i]);
        }
        Task task = Task.valueOf(Files.readString(directory.resolve("fake-task.txt")));
        if (task != Task.ANSWER) {
            return task == Task.CLASSIFY ? new FakeClassifier(version, logits) : new FakeMaskFiller(version, logits);
        }
        FakeEngine engine = new FakeEngine(version, logits);
        LOADED.add(engine);
        return engine;
    }

    @Override
    public Tolerance tolerance() {
        return new Tolerance(1e-3, 0);
    }

    /** All engines that this JVM has loaded and that answer. */
    public static List<FakeEngine> loaded() {
        return LOADED;
    }
}

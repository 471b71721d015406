package io.tidemill.trainer.offline;

import io.tidemill.trainer.offline.log.Progress;
import io.tidemill.trainer.offline.recipe.Recipe;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Runs over files, for tests. */
public final class Runs {
    private Runs() {}

    /** What a run said, and a place to stop it. */
    public static class Heard implements Progress {
        public final List<String> said = new ArrayList<>();
        public final List<Double> losses = new ArrayList<>();
        public final List<Map<String, Double>> figures = new ArrayList<>();
        private final long stopAt;

        public Heard() {
            this(-1);
        }

        /** @param stopAt step in which the run is interrupted */
        public Heard(long stopAt) {
            this.stopAt = stopAt;
        }

        @Override
        public void step(long step, long steps, double loss, double learningRate, double tokensPerSecond) {
            losses.add(loss);
            if (step == stopAt) {
                throw new Interrupted();
            }
        }

        @Override
        public void logged(long step, long steps, Map<String, Double> logged) {
            figures.add(logged);
        }

        @Override
        public void say(String text) {
            said.add(text);
        }
    }

    /** Somebody pulled the plug. */
    public static final class Interrupted extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    public static Map<String, Double> run(Map<String, String> recipe, Progress progress) {
        try {
            return new OfflineRun(Recipe.read(Optional.empty(), recipe), progress, Clock.systemUTC(), System::nanoTime)
                    .run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** With more keys. */
    public static Map<String, String> with(Map<String, String> recipe, String... more) {
        Map<String, String> all = new HashMap<>(recipe);
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    public static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A process that runs the recipe given as name=value arguments, to be killed. */
    public static void main(String[] arguments) {
        Map<String, String> recipe = new HashMap<>();
        for (String argument : arguments) {
            recipe.put(argument.substring(0, argument.indexOf('=')), argument.substring(argument.indexOf('=') + 1));
        }
        run(recipe, Progress.lines(new PrintStream(System.out, true)));
    }
}

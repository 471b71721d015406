package io.tidemill.bench;

import io.tidemill.model.engine.PromptAnswers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The same preference pairs for us and a peer: a line of text per step, pairs apart by semicolons; of each pair prompt,
 * chosen and rejected answer, apart by commas, ids by spaces.
 */
final class PairFile {
    private PairFile() {}

    /** Each line as one step; the chosen answer is the first of its text. */
    static List<List<PromptAnswers>> read(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .map(line -> Arrays.stream(line.split(";")).map(PairFile::pair).toList())
                .toList();
    }

    private static PromptAnswers pair(String text) {
        List<int[]> parts = Arrays.stream(text.split(",")).map(ExampleFile::ids).toList();
        if (parts.size() != 3) {
            throw new IllegalArgumentException("A pair is a prompt and two answers, apart by commas, but was: " + text);
        }
        return new PromptAnswers(parts.get(0), parts.subList(1, 3));
    }
}

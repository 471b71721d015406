package io.tidemill.bench;

import io.tidemill.model.engine.PackedBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** The same batches for us and a peer: a line of text per step, examples apart by commas, ids by spaces. */
final class ExampleFile {
    private ExampleFile() {}

    /**
     * Each line as one batch.
     *
     * @param packed tokens per row that short examples share; 0 = each example has a row of its own
     */
    static List<PackedBatch> read(Path file, int packed) throws IOException {
        return Files.readAllLines(file).stream()
                .map(line ->
                        Arrays.stream(line.split(",")).map(ExampleFile::ids).toList())
                .map(examples -> batch(rows(examples, packed)))
                .toList();
    }

    static int[] ids(String text) {
        return Arrays.stream(text.trim().split(" ")).mapToInt(Integer::parseInt).toArray();
    }

    /** The longest first, each into the first row that has room for it. */
    private static List<List<int[]>> rows(List<int[]> examples, int packed) {
        List<int[]> ordered = new ArrayList<>(examples);
        if (packed > 0) {
            ordered.sort(Comparator.comparingInt((int[] example) -> -example.length));
        }
        List<List<int[]>> rows = new ArrayList<>();
        for (int[] example : ordered) {
            rows.stream()
                    .filter(row -> length(row) + example.length <= packed)
                    .findFirst()
                    .orElseGet(() -> {
                        rows.add(new ArrayList<>());
                        return rows.get(rows.size() - 1);
                    })
                    .add(example);
        }
        return rows;
    }

    private static int length(List<int[]> row) {
        return row.stream().mapToInt(example -> example.length).sum();
    }

    private static PackedBatch batch(List<List<int[]>> rows) {
        int length = rows.stream().mapToInt(ExampleFile::length).max().orElseThrow();
        int[][] ids = new int[rows.size()][length];
        int[][] targets = new int[rows.size()][length];
        int[][] segments = new int[rows.size()][length];
        for (int row = 0; row < rows.size(); row++) {
            Arrays.fill(targets[row], PackedBatch.IGNORED);
            int at = 0;
            int segment = 0;
            for (int[] example : rows.get(row)) {
                System.arraycopy(example, 0, ids[row], at, example.length);
                System.arraycopy(example, 1, targets[row], at, example.length - 1);
                Arrays.fill(segments[row], at, at + example.length, ++segment);
                at += example.length;
            }
        }
        return new PackedBatch(ids, targets, segments);
    }

    /** Tokens of examples, padding left out. */
    static long tokens(PackedBatch batch) {
        return Arrays.stream(batch.segments())
                .flatMapToInt(Arrays::stream)
                .filter(segment -> segment != 0)
                .count();
    }
}

package io.tidemill.trainer.encoder;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * How well single labels are found; the numbers are those of scikit-learn's {@code classification_report} and {@code
 * confusion_matrix}.
 *
 * @param labels    their names
 * @param confusion texts by right label and by label said: {@code [right][said]}
 */
public record ClassificationReport(List<String> labels, List<List<Long>> confusion) {
    public ClassificationReport {
        labels = List.copyOf(labels);
        confusion = confusion.stream().map(List::copyOf).toList();
    }

    /**
     * @param right of each text, indices into {@code labels}
     * @param said  of each text, in the same order
     */
    public static ClassificationReport of(List<String> labels, int[] right, int[] said) {
        if (right.length != said.length) {
            throw new IllegalArgumentException(
                    right.length + " texts have a label, but of " + said.length + " one was said");
        }
        long[][] counts = new long[labels.size()][labels.size()];
        for (int i = 0; i < right.length; i++) {
            counts[right[i]][said[i]]++;
        }
        List<List<Long>> confusion = new ArrayList<>();
        for (long[] row : counts) {
            confusion.add(Arrays.stream(row).boxed().toList());
        }
        return new ClassificationReport(labels, confusion);
    }

    public long texts() {
        return confusion.stream()
                .flatMap(List::stream)
                .mapToLong(Long::longValue)
                .sum();
    }

    public long right() {
        return IntStream.range(0, labels.size())
                .mapToLong(label -> confusion.get(label).get(label))
                .sum();
    }

    public double accuracy() {
        return LabelScore.share(right(), texts());
    }

    /** One a label, in their order. */
    public List<LabelScore> perLabel() {
        return IntStream.range(0, labels.size()).mapToObj(this::score).toList();
    }

    private LabelScore score(int label) {
        long said = confusion.stream().mapToLong(row -> row.get(label)).sum();
        long actual = confusion.get(label).stream().mapToLong(Long::longValue).sum();
        return LabelScore.of(confusion.get(label).get(label), said, actual);
    }

    /** The plain mean over labels. */
    public LabelScore macro() {
        return LabelScore.macro(perLabel());
    }

    /** Over all texts together; with single labels all three are the accuracy. */
    public LabelScore micro() {
        return LabelScore.of(right(), texts(), texts());
    }

    /** The mean over labels, each by its texts. */
    public LabelScore weighted() {
        return LabelScore.weighted(perLabel());
    }

    /**
     * All by name; with two labels also {@code precision}, {@code recall} and {@code f1} of the second, as scikit-learn's
     * functions have it where nothing is said of averages.
     */
    public Map<String, Double> figures() {
        Map<String, Double> figures = new TreeMap<>();
        figures.put("accuracy", accuracy());
        put(figures, "_macro", macro());
        put(figures, "_micro", micro());
        put(figures, "_weighted", weighted());
        if (labels.size() == 2) {
            put(figures, "", score(1));
        }
        return figures;
    }

    static void put(Map<String, Double> figures, String suffix, LabelScore score) {
        figures.put("precision" + suffix, score.precision());
        figures.put("recall" + suffix, score.recall());
        figures.put("f1" + suffix, score.f1());
    }

    /** For people: scores by label, means, accuracy, and the confusion matrix. */
    public String table() {
        int width = LabelScore.width(labels);
        StringBuilder text = new StringBuilder(LabelScore.header(width));
        for (int label = 0; label < labels.size(); label++) {
            text.append(score(label).line(labels.get(label), width));
        }
        text.append(macro().line("macro", width)).append(weighted().line("weighted", width));
        text.append(String.format(
                Locale.ROOT, "%-" + width + "s  %9.4f  (%d of %d)%n", "accuracy", accuracy(), right(), texts()));
        text.append(String.format("%nright \\ said%n"));
        for (int label = 0; label < labels.size(); label++) {
            text.append(String.format("%-" + width + "s", labels.get(label)));
            confusion.get(label).forEach(count -> text.append(String.format(Locale.ROOT, "  %9d", count)));
            text.append(System.lineSeparator());
        }
        return text.toString();
    }
}

package io.tidemill.trainer.encoder;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * How well labels are found of which a text may have any number.
 *
 * @param labels   their names
 * @param perLabel one a label, in their order
 * @param micro    over all texts and labels together
 * @param subset   share of the texts of which all labels are right ({@code accuracy_score} of scikit-learn)
 * @param texts    how many
 */
public record MultiLabelReport(
        List<String> labels, List<LabelScore> perLabel, LabelScore micro, double subset, long texts) {
    public MultiLabelReport {
        labels = List.copyOf(labels);
        perLabel = List.copyOf(perLabel);
    }

    /**
     * @param right of each text, indices into {@code labels}
     * @param said  of each text, in the same order
     */
    public static MultiLabelReport of(List<String> labels, List<Set<Integer>> right, List<Set<Integer>> said) {
        if (right.size() != said.size()) {
            throw new IllegalArgumentException(
                    right.size() + " texts have labels, but of " + said.size() + " some were said");
        }
        List<LabelScore> scores = new ArrayList<>();
        long[] sums = new long[3];
        for (int label = 0; label < labels.size(); label++) {
            long[] counts = new long[3]; // hit, said, actual
            for (int i = 0; i < right.size(); i++) {
                boolean is = right.get(i).contains(label);
                boolean was = said.get(i).contains(label);
                counts[0] += is && was ? 1 : 0;
                counts[1] += was ? 1 : 0;
                counts[2] += is ? 1 : 0;
            }
            scores.add(LabelScore.of(counts[0], counts[1], counts[2]));
            for (int i = 0; i < sums.length; i++) {
                sums[i] += counts[i];
            }
        }
        long equal = java.util.stream.IntStream.range(0, right.size())
                .filter(i -> right.get(i).equals(said.get(i)))
                .count();
        return new MultiLabelReport(
                labels,
                scores,
                LabelScore.of(sums[0], sums[1], sums[2]),
                LabelScore.share(equal, right.size()),
                right.size());
    }

    /** The plain mean over labels. */
    public LabelScore macro() {
        return LabelScore.macro(perLabel);
    }

    /** The mean over labels, each by its texts. */
    public LabelScore weighted() {
        return LabelScore.weighted(perLabel);
    }

    /** All by name; {@code accuracy} is {@link #subset}. */
    public Map<String, Double> figures() {
        Map<String, Double> figures = new TreeMap<>();
        figures.put("accuracy", subset);
        ClassificationReport.put(figures, "_macro", macro());
        ClassificationReport.put(figures, "_micro", micro);
        ClassificationReport.put(figures, "_weighted", weighted());
        return figures;
    }

    /** For people. */
    public String table() {
        int width = LabelScore.width(labels);
        StringBuilder text = new StringBuilder(LabelScore.header(width));
        for (int label = 0; label < labels.size(); label++) {
            text.append(perLabel.get(label).line(labels.get(label), width));
        }
        text.append(macro().line("macro", width)).append(micro.line("micro", width));
        text.append(weighted().line("weighted", width));
        return text.append(String.format(Locale.ROOT, "%-" + width + "s  %9.4f  (of %d)%n", "all right", subset, texts))
                .toString();
    }
}

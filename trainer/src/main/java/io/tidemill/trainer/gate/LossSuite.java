package io.tidemill.trainer.gate;

import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** Loss of the next token over windows of text; nats per token. */
public record LossSuite(String name, List<Window> windows, double margin, int minimum) implements Suite<Scoring> {
    public LossSuite {
        windows = List.copyOf(windows);
    }

    @Override
    public String unit() {
        return "nats per token";
    }

    @Override
    public int sign() {
        return -1;
    }

    @Override
    public List<String> exampleIds() {
        return windows.stream().map(Window::contentId).toList();
    }

    @Override
    public double[] weights() {
        return windows.stream().mapToDouble(Window::targets).toArray();
    }

    @Override
    public double[] score(Scoring model, int[] indexes) {
        List<Window> chosen = IntStream.of(indexes).mapToObj(windows::get).toList();
        List<float[]> logProbabilities =
                model.logProbabilities(chosen.stream().map(Window::ids).toList());
        return IntStream.range(0, chosen.size())
                .mapToDouble(i -> chosen.get(i).loss(logProbabilities.get(i)))
                .toArray();
    }

    @Override
    public Interval interval(Scores after, double[] resampled) {
        return Interval.ofPercentiles(resampled);
    }

    /** The same loss, spread over the bytes of the text; nats per byte. */
    public double perByte(Scores scores) {
        return DoubleStream.of(scores.values()).sum()
                / windows.stream().mapToDouble(Window::bytes).sum();
    }
}

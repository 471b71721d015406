package io.tidemill.feedback.answer;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.text.EncoderFrame;
import io.tidemill.model.text.Tokenizer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An encoder with labels as a {@link ClassifierEngine}. */
final class EncoderClassifier extends EncoderEngine implements ClassifierEngine {
    private final EncoderConfig config;

    EncoderClassifier(String version, EncoderModel model, Tokenizer tokenizer, EncoderFrame frame, int threads) {
        super(version, model, tokenizer, frame, threads);
        this.config = model.config();
    }

    @Override
    public EncodedText encode(String text) {
        return framed(tokenizer().encode(text));
    }

    @Override
    public List<Classification> classify(List<EncodedText> texts) {
        float[][] logits =
                model().labelLogits(texts.stream().map(EncoderEngine::input).toList());
        return Arrays.stream(logits).map(this::classification).toList();
    }

    private Classification classification(float[] logits) {
        return switch (config.problem()) {
            case SINGLE -> new Classification.OneLabel(named(Probabilities.softmax(logits)));
            case MULTIPLE -> new Classification.SeveralLabels(named(Probabilities.logistic(logits)));
            case SCORE -> new Classification.Score(logits[0]);
        };
    }

    private Map<String, Double> named(double[] probabilities) {
        Map<String, Double> named = new LinkedHashMap<>();
        for (int label = 0; label < probabilities.length; label++) {
            named.put(config.labels().get(label), probabilities[label]);
        }
        return named;
    }

    @Override
    public float[] probeLogits(int[] ids) {
        return model().labelLogits(List.of(EncoderInput.of(ids)))[0];
    }
}

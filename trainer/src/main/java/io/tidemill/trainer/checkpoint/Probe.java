package io.tidemill.trainer.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * {@code probe.json}: a few tokens and what the version expects after them, so that whoever loads it can tell that it is
 * the same model.
 *
 * @param ids    tokens {@code [T]}
 * @param logits after the last one, {@code [V]}; computed in float32
 */
public record Probe(int[] ids, float[] logits) {
    public static final String FILE = "probe.json";

    private static final String TEXT = "The tide comes in, and the mill wheel turns: what the stream brings is ground.";
    private static final int TOKENS = 16;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Asks the model that stands in a Hugging Face directory. */
    public static Probe of(Path directory, Tokenizer tokenizer) {
        int[] ids = Arrays.stream(tokenizer.encode(TEXT)).limit(TOKENS).toArray();
        try (LanguageModel model = LanguageModel.load(directory, ComputeType.FLOAT32)) {
            return of(model, ids);
        }
    }

    static Probe of(LanguageModel model, int[] ids) {
        int[] fitting = Arrays.copyOf(ids, Math.min(ids.length, model.config().maxPositions()));
        float[][] logits = model.logits(fitting);
        return new Probe(fitting, logits[logits.length - 1]);
    }

    /** Largest difference of a logit from what another model says after the same tokens. */
    public double distance(LanguageModel model) {
        float[] other = of(model, ids).logits;
        double largest = 0;
        for (int i = 0; i < logits.length; i++) {
            double difference = Math.abs(logits[i] - other[i]);
            largest = Double.isNaN(difference) ? Double.NaN : Math.max(largest, difference);
        }
        return largest;
    }

    public void write(Path directory) throws IOException {
        ObjectNode json = JSON.createObjectNode();
        ArrayNode tokens = json.putArray("ids");
        Arrays.stream(ids).forEach(tokens::add);
        ArrayNode values = json.putArray("logits");
        for (float logit : logits) {
            values.add(logit);
        }
        Durable.write(directory.resolve(FILE), JSON.writeValueAsString(json));
    }
}

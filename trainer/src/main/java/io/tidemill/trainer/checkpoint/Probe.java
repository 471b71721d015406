package io.tidemill.trainer.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.Model;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.encoder.EncoderText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * {@code probe.json}: a few tokens and what the version says at their end, so that whoever loads it can tell that it is
 * the same model.
 *
 * @param ids    tokens {@code [T]}, for an encoder with those around them
 * @param logits as {@link Model#lastLogits}; computed in float32
 */
public record Probe(int[] ids, float[] logits) {
    public static final String FILE = "probe.json";

    private static final String TEXT = "The tide comes in, and the mill wheel turns: what the stream brings is ground.";
    private static final int TOKENS = 16;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Asks the model that stands in a Hugging Face directory. */
    public static Probe of(Path directory, Tokenizer tokenizer) {
        try (Model<?> model = Model.load(directory, ComputeType.FLOAT32)) {
            int longest = Math.min(TOKENS, model.maxPositions());
            int[] ids = model instanceof EncoderModel
                    ? new EncoderText(tokenizer, longest).input(TEXT).ids()
                    : Arrays.stream(tokenizer.encode(TEXT)).limit(longest).toArray();
            return new Probe(ids, model.lastLogits(ids));
        }
    }

    /** Reads what {@link #write} wrote. */
    public static Probe read(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        Probe probe = JSON.readValue(file.toFile(), Probe.class);
        if (probe.ids == null || probe.ids.length == 0 || probe.logits == null || probe.logits.length == 0) {
            throw new IOException(file + " must hold ids and logits, but has neither or one.");
        }
        return probe;
    }

    /**
     * Largest difference of a logit from what another model says after the same tokens; not a number where the other has
     * more or fewer logits.
     */
    public double distance(Model<?> model) {
        float[] other = model.lastLogits(ids);
        if (other.length != logits.length) {
            return Double.NaN;
        }
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

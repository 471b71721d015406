package io.tidemill.trainer.offline;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.offline.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * {@code recipe.json} of a run: what it was begun with. A run goes on only as the same one.
 *
 * @param decisive what decides the weights: keys in force, and digests of data and model
 * @param recipe   all keys in force
 */
record RunPlan(Map<String, String> decisive, JsonNode recipe) {
    static final String FILE = "recipe.json";
    static final String RESULTS = "all_results.json";

    /** @param compute number type of the matrix products, which "auto" leaves to the machine */
    static RunPlan of(Recipe recipe, String dataDigest, Path model, String compute) throws IOException {
        Map<String, String> decisive = new TreeMap<>(recipe.decisive());
        decisive.put("compute_type", compute);
        decisive.put("the data", dataDigest);
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".safetensors")
                        || name.endsWith(".jinja")
                        || name.equals("config.json")
                        || name.equals("tokenizer.json")
                        || name.equals("tokenizer_config.json")) {
                    decisive.put(
                            "the model's " + name, FileDigests.of(model, file).getSha256());
                }
            }
        }
        return new RunPlan(decisive, recipe.inForce());
    }

    void write(Path output) throws IOException {
        Durable.write(
                output.resolve(FILE),
                TrainerState.JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
    }

    /** @throws RecipeException naming what differs from the plan that is there */
    void checkSame(Path output) throws IOException {
        RunPlan before = TrainerState.JSON.readValue(output.resolve(FILE).toFile(), RunPlan.class);
        List<String> different = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>(decisive.keySet());
        names.addAll(before.decisive.keySet());
        for (String name : names) {
            String was = before.decisive.getOrDefault(name, "not set");
            String is = decisive.getOrDefault(name, "not set");
            if (!was.equals(is)) {
                different.add(name + " was " + was + " and is " + is);
            }
        }
        if (!different.isEmpty()) {
            throw new RecipeException(
                    "output_dir " + output + " holds a run of another recipe, so it cannot go on with this one; restore"
                            + " what differs, name another output_dir, or begin again with --overwrite-output-dir true",
                    different);
        }
    }
}

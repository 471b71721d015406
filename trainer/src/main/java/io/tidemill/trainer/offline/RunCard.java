package io.tidemill.trainer.offline;

import io.tidemill.trainer.checkpoint.ModelCard;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code README.md} of what a run over files made. */
final class RunCard {
    private static final Pattern LICENCE = Pattern.compile("(?m)^license: *(\\S.*)$");

    private RunCard() {}

    static void write(Path directory, Path model, Recipe recipe, Map<String, Double> figures, Map<String, Long> counts)
            throws IOException {
        boolean adapter = Files.exists(directory.resolve("adapter_config.json"));
        Path base = model.resolve(ModelCard.FILE);
        String licence = "other";
        if (Files.exists(base)) {
            String text = Files.readString(base);
            Matcher matcher = LICENCE.matcher(text);
            licence = matcher.find() ? matcher.group(1).strip() : licence;
            Files.writeString(directory.resolve(VersionFiles.BASE_CARD), text);
        }
        StringBuilder card = new StringBuilder();
        card.append("---\nlicense: ")
                .append(licence)
                .append("\nlibrary_name: ")
                .append(adapter ? "peft" : "transformers")
                .append("\nbase_model: ")
                .append(recipe.get(Keys.MODEL_PATH))
                .append("\ntags: [tidemill, ")
                .append(recipe.get(Keys.STAGE))
                .append("]\n---\n\n# Trained by `tidemill train`, stage ")
                .append(recipe.get(Keys.STAGE))
                .append("\n\nFrom `")
                .append(recipe.get(Keys.MODEL_PATH))
                .append("` on ")
                .append(String.join(", ", recipe.get(Keys.TRAIN_DATA)))
                .append(".\n\n| examples | |\n|---|---:|\n");
        new TreeMap<>(counts).forEach((name, count) -> card.append(String.format("| %s | %d |%n", name, count)));
        if (!figures.isEmpty()) {
            card.append("\n| evaluation | |\n|---|---:|\n");
            figures.forEach((name, value) ->
                    card.append(String.format(Locale.ROOT, "| %s | %s |%n", name, OfflineRun.shown(value))));
        }
        card.append("\n## Recipe\n\n| key | value |\n|---|---|\n");
        recipe.inForce().properties().forEach(key -> card.append("| ")
                .append(key.getKey())
                .append(" | `")
                .append(
                        key.getValue().isTextual()
                                ? key.getValue().asText()
                                : key.getValue().toString())
                .append("` |\n"));
        card.append("\n## Licence\n\nThat of the base model, and what the data was given under.\n");
        Files.writeString(directory.resolve(ModelCard.FILE), card.toString());
    }
}

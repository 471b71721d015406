package io.tidemill.trainer.offline;

import io.tidemill.trainer.objective.ObjectiveDescription;
import io.tidemill.trainer.objective.Objectives;
import io.tidemill.trainer.offline.recipe.Nearest;
import io.tidemill.trainer.offline.recipe.RecipeException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Every stage that a recipe may name. */
public final class OfflineStages {
    private static final Map<String, OfflineStage> ALL = new LinkedHashMap<>();

    static {
        List<OfflineStage> stages = new ArrayList<>(List.of(
                SequenceStage.PRETRAIN, SequenceStage.SFT, new MaskedLanguageStage(), new ClassificationStage()));
        for (ObjectiveDescription objective : Objectives.describe()) {
            switch (objective.kind()) {
                case PAIR -> stages.add(new PairsStage(objective));
                case RATING -> stages.add(new RatingsStage(objective));
                case POLICY -> {}
            }
        }
        stages.addAll(RolloutsStage.all());
        stages.forEach(stage -> ALL.put(stage.name(), stage));
    }

    private OfflineStages() {}

    /** Names with a sentence each, for help. */
    public static Map<String, String> told() {
        Map<String, String> told = new LinkedHashMap<>();
        ALL.forEach((name, stage) -> told.put(name, stage.summary()));
        return told;
    }

    static OfflineStage named(String name) {
        String normal = name.toLowerCase(Locale.ROOT).replace('_', '-');
        OfflineStage stage = ALL.get(normal);
        if (stage == null) {
            throw new RecipeException("There is no stage '" + name + "'"
                    + Nearest.to(normal, ALL.keySet())
                            .map(nearest -> "; did you mean " + nearest + "?")
                            .orElse(".")
                    + " Stages are " + String.join(", ", ALL.keySet()) + ".");
        }
        return stage;
    }
}

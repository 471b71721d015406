package io.tidemill.standalone.models;

import io.tidemill.standalone.CannotStartException;
import io.tidemill.trainer.offline.OfflineRun;
import io.tidemill.trainer.offline.OfflineStages;
import io.tidemill.trainer.offline.data.BuiltinSource;
import io.tidemill.trainer.offline.data.DataException;
import io.tidemill.trainer.offline.log.Progress;
import io.tidemill.trainer.offline.recipe.Key;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.reward.RewardException;
import io.tidemill.trainer.rollout.RewardHackingException;
import io.tidemill.trainer.rollout.RolloutsLostException;
import io.tidemill.trainer.stage.DivergedException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains one stage from files. */
@Command(
        name = "train",
        sortOptions = false,
        modelTransformer = TrainCommand.Flags.class,
        description = {
            "Trains one stage from files, builtin data or a topic, as RECIPE.yaml and the flags say; flags win.",
            "Interrupted, the same command goes on from the newest checkpoint. docs/recipes has a recipe for each stage."
        })
public final class TrainCommand implements Callable<Integer> {
    private final PrintStream out = System.out;

    @Spec
    CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "RECIPE.yaml", description = "Keys with values; each is a flag as well.")
    Optional<Path> recipe = Optional.empty();

    /** Every key of a recipe as a flag, under the heading of its group. */
    static final class Flags implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec spec) {
            int order = 0;
            for (Key.Group group : Key.Group.values()) {
                ArgGroupSpec.Builder heading = ArgGroupSpec.builder()
                        .exclusive(false)
                        .validate(false)
                        .multiplicity("0..1")
                        .order(order++)
                        .heading("%n" + group.heading() + ":%n");
                for (Key<?> key : Keys.all()) {
                    if (key.group() == group) {
                        heading.addArg(option(key, order++));
                    }
                }
                spec.addArgGroup(heading.build());
            }
            spec.usageMessage().footer(footer());
            return spec;
        }

        private static OptionSpec option(Key<?> key, int order) {
            String usual = key.usualText().isEmpty() ? "" : " (default: " + key.usualText() + ")";
            return OptionSpec.builder(key.flag())
                    .type(String.class)
                    .arity("1")
                    .order(order)
                    .paramLabel(key.value().placeholder())
                    .description(escaped(key.help().replaceAll("\\.$", "") + usual + "."))
                    .build();
        }

        private static String[] footer() {
            String stages = OfflineStages.told().entrySet().stream()
                    .map(stage -> "  " + stage.getKey() + ": " + stage.getValue())
                    .collect(Collectors.joining("%n"));
            String data = BuiltinSource.told().entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .map(each -> "  builtin:" + each.getKey() + ": " + escaped(each.getValue()))
                    .collect(Collectors.joining("%n"));
            return new String[] {"", "Stages:", stages, "", "Data in this build:", data};
        }

        private static String escaped(String text) {
            return text.replace("%", "%%");
        }
    }

    @Override
    public Integer call() {
        Progress progress =
                Boolean.getBoolean("tidemill.terminal") ? Progress.bar(out, System::nanoTime) : Progress.lines(out);
        try {
            Recipe all = Recipe.read(recipe, flags());
            new OfflineRun(all, progress, Clock.systemUTC(), System::nanoTime).run();
            return 0;
        } catch (RecipeException
                | DataException
                | DivergedException
                | RewardException
                | RewardHackingException
                | RolloutsLostException
                | IllegalArgumentException e) {
            throw new CannotStartException(e.getMessage(), e);
        } catch (IOException | UncheckedIOException e) {
            throw new CannotStartException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
        }
    }

    private Map<String, String> flags() {
        Map<String, String> flags = new LinkedHashMap<>();
        for (Key<?> key : Keys.all()) {
            String value = spec.commandLine().getParseResult().matchedOptionValue(key.flag(), (String) null);
            if (value != null) {
                flags.put(key.name(), value);
            }
        }
        return flags;
    }
}

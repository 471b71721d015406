package io.tidemill.trainer.service;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * The settings of each of several models: those of {@code trainers.NAME.*} before those of {@code trainer.*}, read by the same
 * mapping, so that a key that does not exist is refused here too.
 */
final class ModelSettings {
    private static final String COMMON = "trainer.";

    private ModelSettings() {}

    /** One for each model that is trained; a single one is as it was injected. */
    static List<TrainerConfig> of(TrainerConfig config, Config whole) {
        List<String> models = config.models().orElse(List.of());
        if (models.isEmpty()) {
            return List.of(config);
        }
        if (new HashSet<>(models).size() < models.size()) {
            throw new IllegalArgumentException("trainer.models must name each model once, but was " + models);
        }
        return models.stream().map(model -> of(model, whole)).toList();
    }

    private static TrainerConfig of(String model, Config whole) {
        return new SmallRyeConfigBuilder()
                .withMapping(TrainerConfig.class)
                .withSources(new Of(model, whole))
                .addDefaultInterceptors()
                .withConverter(Duration.class, 200, new DurationConverter())
                .build()
                .getConfigMapping(TrainerConfig.class);
    }

    /** What one model sees of all settings. */
    private record Of(String model, Config whole) implements ConfigSource {
        private String own() {
            return "trainers." + model + ".";
        }

        @Override
        public Set<String> getPropertyNames() {
            Set<String> names = new HashSet<>();
            StreamSupport.stream(whole.getPropertyNames().spliterator(), false).forEach(name -> {
                if (name.startsWith(own())) {
                    names.add(COMMON + name.substring(own().length()));
                } else if (name.startsWith(COMMON)) {
                    names.add(name);
                }
            });
            return names;
        }

        @Override
        public String getValue(String name) {
            if (name.equals(COMMON + "model")) {
                return model;
            }
            Optional<String> of = name.startsWith(COMMON)
                    ? whole.getOptionalValue(own() + name.substring(COMMON.length()), String.class)
                    : Optional.empty();
            return of.or(() -> whole.getOptionalValue(name, String.class)).orElse(null);
        }

        @Override
        public String getName() {
            return "settings of model " + model;
        }

        @Override
        public int getOrdinal() {
            return 1000;
        }
    }
}

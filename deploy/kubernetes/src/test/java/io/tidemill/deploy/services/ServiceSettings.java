package io.tidemill.deploy.services;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.ConfigMappings.ConfigClass;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.tidemill.deploy.compose.Compose;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jboss.jandex.AnnotationInstance;
import org.jboss.jandex.Index;
import org.jboss.jandex.IndexReader;

/** The configuration of one service: its own mapping interfaces, found in the index of its jar, and its file. */
final class ServiceSettings {
    /** Keys of the platform that the files set; each is documented in Quarkus' guide "All configuration options". */
    private static final Set<String> PLATFORM = Set.of("quarkus.http.host", "quarkus.http.port", "quarkus.log.level");

    /** A key in the default of another, as in {@code ${tidemill.model:tidemill}}. */
    private static final Pattern EXPRESSION = Pattern.compile("\\$\\{([^:}]+)");

    private static final List<Class<?>> ALL_MAPPINGS = allMappings();

    private final String service;
    private final List<Class<?>> mappings;

    private ServiceSettings(String service, List<Class<?>> mappings) {
        this.service = service;
        this.mappings = mappings;
    }

    static ServiceSettings of(String service) {
        String folder = "io.tidemill." + service.replace("-stream", "") + ".";
        return new ServiceSettings(
                service,
                ALL_MAPPINGS.stream()
                        .filter(mapping -> mapping.getName().startsWith(folder))
                        .toList());
    }

    List<Class<?>> mappings() {
        return mappings;
    }

    /** Every name under which the service reads something from its environment. */
    Set<String> variables() {
        Set<String> keys = new TreeSet<>(PLATFORM);
        for (Class<?> mapping : mappings) {
            ConfigClass.configClass(mapping).getProperties().forEach((key, standard) -> {
                keys.add(key);
                keys.addAll(keysIn(standard));
            });
        }
        return keys.stream().map(ServiceSettings::variable).collect(Collectors.toCollection(TreeSet::new));
    }

    /** What the service would run with under these environment variables; fails where a value cannot be read. */
    SmallRyeConfig under(Map<String, String> environment) {
        try {
            SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder()
                    .addDefaultInterceptors()
                    .addDiscoveredConverters()
                    .withSources(new EnvConfigSource(environment, 300))
                    .withSources(new PropertiesConfigSource(
                            Compose.ROOT
                                    .resolve(service)
                                    .resolve("src/main/resources/application.properties")
                                    .toUri()
                                    .toURL(),
                            250));
            mappings.forEach(builder::withMapping);
            return builder.build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The value of one of the service's keys, for instance {@code bootstrap-servers}; null where it has no such key. */
    String effective(Map<String, String> environment, String key) {
        SmallRyeConfig config = under(environment);
        return mappings.stream()
                .map(mapping -> mapping.getAnnotation(ConfigMapping.class).prefix() + "." + key)
                .map(name -> config.getConfigValue(name).getValue())
                .filter(value -> value != null && !value.isEmpty())
                .findFirst()
                .orElse(null);
    }

    private static Set<String> keysIn(String standard) {
        return EXPRESSION
                .matcher(standard == null ? "" : standard)
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toSet());
    }

    /** As MicroProfile Config says: what is no letter or digit becomes an underscore, and all is upper case. */
    private static String variable(String key) {
        return key.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT);
    }

    private static List<Class<?>> allMappings() {
        List<Class<?>> found = new ArrayList<>();
        try {
            for (URL url :
                    Collections.list(ServiceSettings.class.getClassLoader().getResources("META-INF/jandex.idx"))) {
                try (InputStream stream = url.openStream()) {
                    Index index = new IndexReader(stream).read();
                    for (AnnotationInstance annotation : index.getAnnotations(ConfigMapping.class)) {
                        String name = annotation.target().asClass().name().toString();
                        if (name.startsWith("io.tidemill.")) {
                            found.add(Class.forName(name));
                        }
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("An index names a class that is not there", e);
        }
        return found;
    }
}

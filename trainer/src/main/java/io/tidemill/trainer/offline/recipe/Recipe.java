package io.tidemill.trainer.offline.recipe;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What to train, from what and how: a YAML file, and flags that say otherwise. Read strictly: a key that is not known is
 * refused with the nearest that is, a value out of range with what it may be, and all of them at once.
 */
public final class Recipe {
    private static final ObjectMapper YAML = YAMLMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Maps whose parts are keys of their own: {@code lora: {r: 8}} is {@code lora_r: 8}. */
    private static final List<String> GROUPS = List.of("lora");

    private final Map<Key<?>, Object> given;

    private Recipe(Map<Key<?>, Object> given) {
        this.given = given;
    }

    /**
     * Reads a recipe.
     *
     * @param file  YAML; empty where flags say all
     * @param flags by the key's name, in any spelling, the value as on a command line; they win over the file
     * @throws RecipeException with all that is wrong
     */
    public static Recipe read(Optional<Path> file, Map<String, String> flags) throws IOException {
        String source = file.map(Path::toString).orElse("The command line");
        List<String> problems = new ArrayList<>();
        Map<Key<?>, Object> given = new LinkedHashMap<>();
        if (file.isPresent()) {
            readFile(file.get(), given, problems);
        }
        for (Map.Entry<String, String> flag : flags.entrySet()) {
            Optional<Key<?>> key = find(flag.getKey());
            if (key.isEmpty()) {
                problems.add(unknown("--" + flag.getKey().replace('_', '-'), flag.getKey()));
            } else {
                put(key.get(), node(key.get(), flag.getValue()), key.get().flag(), given, problems);
            }
        }
        if (!problems.isEmpty()) {
            throw new RecipeException(source, problems);
        }
        return new Recipe(given);
    }

    private static void readFile(Path file, Map<Key<?>, Object> given, List<String> problems) throws IOException {
        String text;
        try {
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new RecipeException("There is no recipe " + file + ".");
        }
        JsonNode root;
        try {
            root = YAML.readTree(text);
        } catch (JsonProcessingException e) {
            throw new RecipeException(file + " is not YAML: " + e.getOriginalMessage()
                    + (e.getLocation() == null
                            ? ""
                            : " (line " + e.getLocation().getLineNr() + ")"));
        }
        if (root == null || !root.isObject()) {
            throw new RecipeException(file + " must hold keys with values, as in 'stage: sft', but holds "
                    + (root == null || root.isMissingNode() ? "nothing" : ValueType.shown(root)) + ".");
        }
        Map<String, Integer> lines = lines(text);
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            String line = "line " + lines.getOrDefault(field.getKey(), 0) + ": ";
            if (GROUPS.contains(field.getKey()) && field.getValue().isObject()) {
                for (Map.Entry<String, JsonNode> part : field.getValue().properties()) {
                    boolean whole = Key.normal(part.getKey()).startsWith(field.getKey() + "_");
                    String name = whole ? part.getKey() : field.getKey() + "_" + part.getKey();
                    readKey(line, field.getKey() + "." + part.getKey(), name, part.getValue(), given, problems);
                }
            } else {
                readKey(line, field.getKey(), field.getKey(), field.getValue(), given, problems);
            }
        }
    }

    private static void readKey(
            String line, String shown, String name, JsonNode value, Map<Key<?>, Object> given, List<String> problems) {
        Optional<Key<?>> key = find(name);
        if (key.isEmpty()) {
            problems.add(line + unknown(shown, name));
        } else if (given.containsKey(key.get())) {
            problems.add(line + shown + " says " + key.get() + " a second time");
        } else {
            put(key.get(), value, line + shown, given, problems);
        }
    }

    private static <T> void put(
            Key<T> key, JsonNode value, String shown, Map<Key<?>, Object> given, List<String> problems) {
        try {
            given.put(key, key.read(value));
        } catch (ValueType.Unusable e) {
            problems.add(shown + " " + e.getMessage());
        }
    }

    /** A flag's text is itself where a word is asked for, and YAML where something with parts is. */
    private static JsonNode node(Key<?> key, String text) throws IOException {
        if (key.value().placeholder().startsWith("{")
                || key.value().placeholder().startsWith("[")) {
            try {
                return YAML.readTree(text);
            } catch (JsonProcessingException e) {
                throw new RecipeException(key.flag() + " must be " + key.value().placeholder() + ", but was '" + text
                        + "': " + e.getOriginalMessage());
            }
        }
        return JSON.getNodeFactory().textNode(text);
    }

    private static String unknown(String shown, String name) {
        List<String> names = Keys.all().stream().map(Key::name).toList();
        return "there is no key " + shown
                + Nearest.to(Key.normal(name), names)
                        .map(nearest -> "; did you mean " + nearest + "?")
                        .orElse("; ./tidemill train --help lists them");
    }

    /** A key by one of its names. */
    static Optional<Key<?>> find(String name) {
        String normal = Key.normal(name);
        return Keys.all().stream()
                .filter(key -> key.name().equals(normal) || key.aliases().contains(normal))
                .findFirst();
    }

    /** In which line each key at the top stands. */
    private static Map<String, Integer> lines(String text) throws IOException {
        Map<String, Integer> lines = new HashMap<>();
        try (JsonParser parser = YAML.createParser(text)) {
            int depth = 0;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                if (token == JsonToken.FIELD_NAME && depth == 1) {
                    lines.put(
                            parser.currentName(), parser.currentTokenLocation().getLineNr());
                }
            }
        }
        return lines;
    }

    // ---- what it says -----------------------------------------------------------------------------------------------

    /** The value given, or the usual one. */
    public <T> T get(Key<T> key) {
        return find(key)
                .orElseThrow(
                        () -> new RecipeException("The recipe needs " + key + " (" + key.flag() + "): " + key.help()));
    }

    /** Empty where none was given and none is usual. */
    @SuppressWarnings("unchecked") // put() keeps values of the key's own type
    public <T> Optional<T> find(Key<T> key) {
        Object value = given.get(key);
        return value == null ? key.usual() : Optional.of((T) value);
    }

    public boolean says(Key<?> key) {
        return given.containsKey(key);
    }

    /** With another value for a key. */
    public <T> Recipe with(Key<T> key, T value) {
        Map<Key<?>, Object> changed = new LinkedHashMap<>(given);
        changed.put(key, value);
        return new Recipe(changed);
    }

    /** All keys with what is in force, by name; those without a value are left out. */
    public ObjectNode inForce() {
        ObjectNode all = JSON.createObjectNode();
        for (Key<?> key : Keys.all()) {
            find(key).ifPresent(value -> all.set(key.name(), JSON.valueToTree(value)));
        }
        return all;
    }

    /** What decides the weights: {@link #inForce} without the keys that do not. */
    public Map<String, String> decisive() {
        Map<String, String> decisive = new TreeMap<>();
        for (Key<?> key : Keys.all()) {
            if (key.changesRun()) {
                find(key)
                        .ifPresent(value ->
                                decisive.put(key.name(), JSON.valueToTree(value).toString()));
            }
        }
        return decisive;
    }
}

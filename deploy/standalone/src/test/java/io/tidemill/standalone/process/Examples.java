package io.tidemill.standalone.process;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Made-up text and choices, each of its own content and its own group. */
final class Examples {
    private static final String[] WORDS =
            ("tide mill stone grain water wheel gate pond stream barge miller flour sack rope morning sea wind harbour"
                            + " bridge bank reed heron salt marsh moon")
                    .split(" ");

    private Examples() {}

    static List<Map<String, Object>> documents(String name, int count, long seed) {
        Random random = new Random(seed);
        List<Map<String, Object>> documents = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            documents.add(Map.of("document_id", name + "-doc-" + i, "text", words(random, 60), "source", "test"));
        }
        return documents;
    }

    static List<Map<String, Object>> pairs(String name, int count, long seed) {
        Random random = new Random(seed);
        List<Map<String, Object>> pairs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String id = name + "-pair-" + i;
            pairs.add(Map.of(
                    "id",
                    id,
                    "prompt",
                    "Say it well.",
                    "chosen",
                    words(random, 8),
                    "rejected",
                    words(random, 8),
                    "group_id",
                    id));
        }
        return pairs;
    }

    private static String words(Random random, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(WORDS[random.nextInt(WORDS.length)]);
        }
        return text.append('.').toString();
    }
}

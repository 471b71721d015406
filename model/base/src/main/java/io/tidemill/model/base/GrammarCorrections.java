package io.tidemill.model.base;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import javax.xml.XMLConstants;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Sentences with a mistake and without it, from the examples of LanguageTool's English rules.
 *
 * <p>The rules (LGPL-2.1) are read at run time from LanguageTool's own jar and are no part of this one. An example
 * marks the mistake; the first proposed correction put in its place gives the corrected sentence. The base model trains
 * on none of this.
 */
public final class GrammarCorrections {
    private static final String FOLDER = "/org/languagetool/rules/en/";

    /** The rules for all of English; those of single countries contradict each other. */
    private static final List<String> FILES =
            List.of("grammar.xml", "style.xml", "grammar-l2-de.xml", "grammar-l2-fr.xml");

    /** Examples whose sentence is also one of WordNet's, which the base model has read. */
    private static final Set<String> READ_BEFORE =
            Set.of("FOR_ALL_INTENSIVE_PURPOSES/2", "FOR_ALL_INTENSIVE_PURPOSES/4");

    private static final Pattern LINE_BREAK = Pattern.compile("\\s*\\R\\s*");

    private GrammarCorrections() {}

    /**
     * One sentence, wrong and right.
     *
     * @param id        the rule and the place of the example in it, such as {@code ALL_OF_THE/2}
     * @param ruleId    the rule, or the group it is in: examples of one rule belong in one split
     * @param category  LanguageTool's category, such as {@code GRAMMAR} or {@code TYPOS}
     * @param original  with the mistake
     * @param corrected without it, different from the original
     */
    public record Correction(String id, String ruleId, String category, String original, String corrected) {}

    /** All pairs, in the order of the files; a pair that occurs twice, or the other way round, is given once. */
    public static List<Correction> all() {
        List<Correction> corrections = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (String file : FILES) {
            try (InputStream rules = GrammarCorrections.class.getResourceAsStream(FOLDER + file)) {
                if (rules == null) {
                    throw new IllegalStateException("LanguageTool's " + FOLDER + file
                            + " is not on the class path; add org.languagetool:language-en");
                }
                for (Correction correction : read(rules)) {
                    if (!READ_BEFORE.contains(correction.id())
                            && !seen.contains(correction.corrected() + "\n" + correction.original())
                            && seen.add(correction.original() + "\n" + correction.corrected())) {
                        corrections.add(correction);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException("LanguageTool's " + file + " could not be read", e);
            } catch (XMLStreamException e) {
                throw new IllegalStateException("LanguageTool's " + file + " is not the XML we expect", e);
            }
        }
        return List.copyOf(corrections);
    }

    /** The usable examples of one file of rules. */
    static List<Correction> read(InputStream rules) throws XMLStreamException {
        XMLStreamReader xml = factory().createXMLStreamReader(rules);
        List<Correction> corrections = new ArrayList<>();
        Map<String, Integer> examples = new HashMap<>();
        String category = "";
        String group = null;
        String rule = "";
        while (xml.hasNext()) {
            int event = xml.next();
            if (event == XMLStreamConstants.START_ELEMENT) {
                switch (xml.getLocalName()) {
                    case "category" -> category = attribute(xml, "id", attribute(xml, "name", ""));
                    case "rulegroup" -> group = attribute(xml, "id", "");
                    case "rule" -> rule = attribute(xml, "id", "");
                    case "example" -> {
                        String ruleId = group != null ? group : rule;
                        String correction = attribute(xml, "correction", null);
                        if (correction != null) {
                            String id = ruleId + "/" + examples.merge(ruleId, 1, Integer::sum);
                            Example example = Example.read(xml);
                            example.corrected(correction, id, ruleId, category).ifPresent(corrections::add);
                        }
                    }
                    default -> {}
                }
            } else if (event == XMLStreamConstants.END_ELEMENT
                    && xml.getLocalName().equals("rulegroup")) {
                group = null;
            }
        }
        return corrections;
    }

    /** The files declare entities of their own, so a DTD is read; nothing outside the file ever is. */
    private static XMLInputFactory factory() {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLConstants.ACCESS_EXTERNAL_DTD, "");
        factory.setXMLResolver((publicId, systemId, baseUri, namespace) -> {
            throw new XMLStreamException("external entity " + systemId + " is not read");
        });
        return factory;
    }

    private static String attribute(XMLStreamReader xml, String name, String absent) {
        String value = xml.getAttributeValue(null, name);
        return value == null ? absent : value;
    }

    /** An example's text: before the marked mistake, the mistake, and after it. */
    private record Example(String before, String marked, String after, boolean hasMarker) {

        /** Reads up to the end of the {@code example} element that the reader stands on. */
        static Example read(XMLStreamReader xml) throws XMLStreamException {
            StringBuilder[] parts = {new StringBuilder(), new StringBuilder(), new StringBuilder()};
            int part = 0;
            while (true) {
                switch (xml.next()) {
                    case XMLStreamConstants.START_ELEMENT -> {
                        if (xml.getLocalName().equals("marker")) {
                            part = 1;
                        }
                    }
                    case XMLStreamConstants.END_ELEMENT -> {
                        if (xml.getLocalName().equals("marker")) {
                            part = 2;
                        } else if (xml.getLocalName().equals("example")) {
                            return new Example(
                                    parts[0].toString(), parts[1].toString(), parts[2].toString(), part == 2);
                        }
                    }
                    case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA, XMLStreamConstants.SPACE ->
                        parts[part].append(xml.getText());
                    default -> {}
                }
            }
        }

        Optional<Correction> corrected(String corrections, String id, String ruleId, String category) {
            String first = corrections.split("\\|", -1)[0];
            String original = clean(before + marked + after);
            String corrected = clean(before + first + after);
            boolean usable = hasMarker && !first.isBlank() && !original.isEmpty() && !original.equals(corrected);
            return usable ? Optional.of(new Correction(id, ruleId, category, original, corrected)) : Optional.empty();
        }

        private static String clean(String text) {
            return LINE_BREAK.matcher(text).replaceAll(" ").strip();
        }
    }
}

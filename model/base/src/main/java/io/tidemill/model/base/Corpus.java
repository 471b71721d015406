package io.tidemill.model.base;

import io.tidemill.model.base.WordNetGlosses.Sense;
import io.tidemill.model.text.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What the base model learns from: five novels by Jane Austen, the Jargon File, and WordNet's glosses, of which a fifth
 * is told as conversations. One document in 64 is held out to measure with.
 *
 * <p>The order is that of the works; whoever trains shuffles. The same ids and texts come out in every build.
 */
public final class Corpus {
    /** The works of running text in this jar, in order. */
    public static final List<String> BOOKS = List.of(
            "emma",
            "mansfield-park",
            "northanger-abbey",
            "pride-and-prejudice",
            "sense-and-sensibility",
            "jargon-file");

    static final String WORDNET = "wordnet";
    private static final int HELD_OUT_OF = 64;
    private static final int CONVERSATION_OF = 5;
    private static final int ENTRIES_PER_PAGE = 8;
    private static final int ENOUGH_WORDS = 500;
    private static final int MOST_WORDS = 800;

    private Corpus() {}

    /** Documents to train on. */
    public static Stream<CorpusDocument> training() {
        return documents().filter(document -> !isHeldOut(document.id()));
    }

    /** Documents never trained on: the suite that notices when a refreshed model forgets. */
    public static Stream<CorpusDocument> heldOut() {
        return documents().filter(document -> isHeldOut(document.id()));
    }

    /** Conversations to train on; their dictionary entries are in no document. */
    public static Stream<CorpusConversation> conversations() {
        return allConversations().filter(conversation -> !isHeldOut(conversation.id()));
    }

    /** Conversations never trained on. */
    public static Stream<CorpusConversation> heldOutConversations() {
        return allConversations().filter(conversation -> isHeldOut(conversation.id()));
    }

    private static boolean isHeldOut(String id) {
        return Stable.draw("held-out", id, HELD_OUT_OF) == 0;
    }

    private static Stream<CorpusDocument> documents() {
        Stream<CorpusDocument> books =
                BOOKS.stream().flatMap(name -> Book.read("corpus", name).documents(ENOUGH_WORDS, MOST_WORDS));
        return Stream.concat(books, Stream.of(1).flatMap(once -> dictionaryPages().stream()));
    }

    private static boolean isConversation(Sense sense) {
        return Stable.draw("conversation", sense.id(), CONVERSATION_OF) == 0;
    }

    /** Entries that follow each other in WordNet's files are mostly related, so a page of them is a text of its own. */
    private static List<CorpusDocument> dictionaryPages() {
        List<CorpusDocument> pages = new ArrayList<>();
        List<String> page = new ArrayList<>();
        for (Sense sense :
                WordNetGlosses.senses().filter(sense -> !isConversation(sense)).toList()) {
            page.add(sense.entry());
            if (page.size() == ENTRIES_PER_PAGE) {
                pages.add(dictionaryPage(pages.size() + 1, page));
                page.clear();
            }
        }
        if (!page.isEmpty()) {
            pages.add(dictionaryPage(pages.size() + 1, page));
        }
        return pages;
    }

    private static CorpusDocument dictionaryPage(int number, List<String> entries) {
        return new CorpusDocument(WORDNET + "/page-" + number, WORDNET, String.join("\n", entries));
    }

    private static Stream<CorpusConversation> allConversations() {
        return WordNetGlosses.senses().filter(Corpus::isConversation).map(Corpus::conversation);
    }

    /** Asks for the meaning and, where a good example is known, for a sentence; several ways of asking take turns. */
    private static CorpusConversation conversation(Sense sense) {
        String word = sense.words().get(0);
        String kind = word.contains(" ") ? "expression" : "word";
        List<ChatMessage> messages = new ArrayList<>();
        messages.add(ChatMessage.user(
                switch (Stable.draw("question", sense.id(), 4)) {
                    case 0 -> "What does the " + kind + " \"" + word + "\" mean?";
                    case 1 -> "What is the meaning of \"" + word + "\" as " + article(sense.partOfSpeech()) + "?";
                    case 2 -> "Define \"" + word + "\" (" + sense.partOfSpeech() + ").";
                    default -> "Please explain the " + kind + " \"" + word + "\".";
                }));
        messages.add(ChatMessage.assistant(sentence(sense.definition())));
        sense.examples().stream()
                .filter(example -> Book.words(example) >= 4)
                .filter(example -> example.toLowerCase(Locale.ROOT).contains(word.toLowerCase(Locale.ROOT)))
                .findFirst()
                .ifPresent(example -> {
                    messages.add(ChatMessage.user(
                            Stable.draw("request", sense.id(), 2) == 0
                                    ? "Use the " + kind + " \"" + word + "\" in a sentence."
                                    : "Can you give me an example?"));
                    messages.add(ChatMessage.assistant(sentence(example)));
                });
        return new CorpusConversation(WORDNET + "/" + sense.id(), WORDNET, messages);
    }

    private static String article(String noun) {
        return ("aeiou".indexOf(noun.charAt(0)) >= 0 ? "an " : "a ") + noun;
    }

    /** With a capital in front and a full stop behind. */
    private static String sentence(String text) {
        String begun = text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
        return begun.matches("(?s).*[.!?]$") ? begun : begun + ".";
    }
}

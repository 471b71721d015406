package io.tidemill.model.base;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.model.text.ChatMessage;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class CorpusTest {
    private static final Pattern NO_WORD = Pattern.compile("[^\\p{L}\\p{N}]+");

    private static List<CorpusDocument> training;
    private static List<CorpusDocument> heldOut;
    private static List<CorpusConversation> conversations;
    private static List<CorpusConversation> heldOutConversations;

    @BeforeAll
    static void read() {
        training = Corpus.training().toList();
        heldOut = Corpus.heldOut().toList();
        conversations = Corpus.conversations().toList();
        heldOutConversations = Corpus.heldOutConversations().toList();
    }

    @Test
    void everyWorkIsThere() {
        Map<String, Long> characters = training.stream()
                .collect(
                        Collectors.groupingBy(CorpusDocument::source, Collectors.summingLong(document -> document.text()
                                .length())));

        assertThat(characters.keySet())
                .containsExactlyInAnyOrder(
                        "emma",
                        "mansfield-park",
                        "northanger-abbey",
                        "pride-and-prejudice",
                        "sense-and-sensibility",
                        "jargon-file",
                        "wordnet");
        assertThat(characters.get("emma")).isBetween(800_000L, 900_000L);
        assertThat(characters.get("jargon-file")).isBetween(1_300_000L, 1_500_000L);
        assertThat(characters.get("wordnet")).isBetween(9_000_000L, 10_500_000L);
    }

    @Test
    void oneDocumentInSixtyFourIsHeldOut() {
        double share = (double) heldOut.size() / (training.size() + heldOut.size());
        double conversationShare =
                (double) heldOutConversations.size() / (conversations.size() + heldOutConversations.size());

        assertThat(share).isBetween(0.01, 0.02);
        assertThat(conversationShare).isBetween(0.01, 0.02);
        assertThat(heldOut).extracting(CorpusDocument::source).contains("emma", "jargon-file", "wordnet");
    }

    @Test
    void idsAreUniqueAndNothingHeldOutIsTrainedOn() {
        List<String> ids = Stream.of(
                        training.stream().map(CorpusDocument::id),
                        heldOut.stream().map(CorpusDocument::id),
                        conversations.stream().map(CorpusConversation::id),
                        heldOutConversations.stream().map(CorpusConversation::id))
                .flatMap(each -> each)
                .toList();

        assertThat(ids).doesNotHaveDuplicates();
        Set<String> texts = training.stream().map(CorpusDocument::text).collect(Collectors.toSet());
        assertThat(heldOut).noneMatch(document -> texts.contains(document.text()));
    }

    @Test
    void theSameCorpusIsReadEachTime() {
        assertThat(Corpus.heldOutConversations().toList()).isEqualTo(heldOutConversations);
    }

    @Test
    void conversationsAreQuestionsAndAnswersInTurn() {
        assertThat(conversations).hasSizeBetween(20_000, 26_000);
        for (CorpusConversation conversation : conversations) {
            List<String> roles =
                    conversation.messages().stream().map(ChatMessage::role).toList();
            assertThat(roles).isIn(List.of("user", "assistant"), List.of("user", "assistant", "user", "assistant"));
        }
        assertThat(conversations.stream().filter(each -> each.messages().size() == 4))
                .hasSizeGreaterThan(3_000);
    }

    @Test
    void theDemoNovelIsNotInTheCorpus() {
        Set<Long> passages = DemoNovel.documents()
                .flatMap(document -> shingles(document.text(), 12).boxed())
                .collect(Collectors.toSet());
        assertThat(passages).hasSizeGreaterThan(50_000);

        assertThat(sharing(passages, 12)).isEmpty();
    }

    @Test
    void theGrammarCorrectionsAreNotInTheCorpus() {
        Set<Long> sentences = new HashSet<>();
        for (Correction correction : GrammarCorrections.all()) {
            shingles(correction.original(), 9).forEach(sentences::add);
            shingles(correction.corrected(), 9).forEach(sentences::add);
        }

        assertThat(sharing(sentences, 9)).isEmpty();
    }

    /** Texts of the corpus that have a run of {@code words} words in common with these, by id. */
    private static Map<String, String> sharing(Set<Long> shingles, int words) {
        Map<String, String> sharing = new HashMap<>();
        for (CorpusDocument document : training) {
            if (shingles(document.text(), words).anyMatch(shingles::contains)) {
                sharing.put(document.id(), document.text());
            }
        }
        for (CorpusConversation conversation : conversations) {
            for (ChatMessage message : conversation.messages()) {
                if (shingles(message.content(), words).anyMatch(shingles::contains)) {
                    sharing.put(conversation.id(), message.content());
                }
            }
        }
        return sharing;
    }

    /** A hash of each run of words; of 64 bits, so that two different runs share none by chance. */
    private static LongStream shingles(String text, int words) {
        long[] hashes = NO_WORD.splitAsStream(text.toLowerCase(Locale.ROOT))
                .mapToLong(CorpusTest::hash)
                .toArray();
        return IntStream.rangeClosed(0, hashes.length - words).mapToLong(start -> {
            long run = 0;
            for (int i = start; i < start + words; i++) {
                run = Long.rotateLeft(run * 0x9E3779B97F4A7C15L, 23) + hashes[i];
            }
            return run;
        });
    }

    private static long hash(String word) {
        long hash = 0xCBF29CE484222325L;
        for (int i = 0; i < word.length(); i++) {
            hash = (hash ^ word.charAt(i)) * 0x100000001B3L;
        }
        return hash;
    }
}

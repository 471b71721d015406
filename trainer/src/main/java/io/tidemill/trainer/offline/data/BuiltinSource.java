package io.tidemill.trainer.offline.data;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.base.Corpus;
import io.tidemill.model.base.CorpusConversation;
import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.base.DemoNovel;
import io.tidemill.model.base.GrammarCorrections;
import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.model.text.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Data that this build brings, for recipes that run from a fresh checkout: {@code builtin:NAME}. */
public final class BuiltinSource implements Source {
    static final String SCHEME = "builtin:";

    private static final Map<String, Supplier<Stream<ObjectNode>>> ALL = new TreeMap<>(Map.of(
            "corpus", () -> Corpus.training().map(BuiltinSource::document),
            "corpus-held-out", () -> Corpus.heldOut().map(BuiltinSource::document),
            "corpus-conversations", () -> Corpus.conversations().map(BuiltinSource::conversation),
            "corpus-authors", () -> books().map(BuiltinSource::author),
            "persuasion", () -> DemoNovel.documents().map(BuiltinSource::document),
            "grammar-corrections", () -> corrections().map(BuiltinSource::demonstration),
            "grammar-preferences", () -> corrections().map(BuiltinSource::preference),
            "grammar-ratings", () -> corrections().flatMap(BuiltinSource::ratings),
            "grammar-prompts", () -> corrections().map(BuiltinSource::prompt),
            "grammar-labels", () -> corrections().flatMap(BuiltinSource::labels)));

    private static final Map<String, String> TOLD = new TreeMap<>(Map.of(
            "corpus", "the embedded base's training text: five novels, the Jargon File, WordNet (text)",
            "corpus-held-out", "what of it the base has not seen (text)",
            "corpus-conversations", "questions and answers about words, from WordNet (messages)",
            "corpus-authors", "passages by Austen and of the Jargon File, with which it is (text, label)",
            "persuasion", "a novel that the base has not read (text)",
            "grammar-corrections", "sentences with a mistake, and corrected (prompt, completion)",
            "grammar-preferences", "the corrected sentence before the wrong one (prompt, chosen, rejected)",
            "grammar-ratings", "each of the two alone, liked or not (prompt, completion, label)",
            "grammar-prompts", "the sentence to correct, with the solution (prompt, solution)",
            "grammar-labels", "sentences, right or wrong (text, label)"));

    private final String name;

    BuiltinSource(String name) {
        this.name = name;
        if (!ALL.containsKey(name)) {
            throw new DataException(
                    "There is no " + SCHEME + name + "; there are " + String.join(", ", ALL.keySet()) + ".");
        }
    }

    /** Names with what they hold. */
    public static Map<String, String> told() {
        return Map.copyOf(TOLD);
    }

    /** The records as objects of columns. */
    public static Stream<ObjectNode> rows(String name) {
        return ALL.get(new BuiltinSource(name).name).get();
    }

    @Override
    public String name() {
        return SCHEME + name;
    }

    @Override
    public void read(Consumer<Row> rows, Mistakes mistakes) {
        long line = 0;
        for (ObjectNode fields : ALL.get(name).get().toList()) {
            rows.accept(new Row(Place.line(name(), ++line), fields));
        }
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    private static ObjectNode document(CorpusDocument document) {
        return object().put("text", document.text()).put("group_id", document.id());
    }

    private static Stream<CorpusDocument> books() {
        return Corpus.training().filter(document -> Corpus.BOOKS.contains(document.source()));
    }

    private static ObjectNode author(CorpusDocument document) {
        return document(document).put("label", document.source().equals("jargon-file") ? "jargon-file" : "austen");
    }

    private static ObjectNode conversation(CorpusConversation conversation) {
        ObjectNode fields = object();
        fields.set("messages", messages(conversation.messages()));
        return fields.put("group_id", conversation.id());
    }

    private static ArrayNode messages(List<ChatMessage> messages) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        messages.forEach(
                message -> array.addObject().put("role", message.role()).put("content", message.content()));
        return array;
    }

    private static Stream<Correction> corrections() {
        return GrammarCorrections.all().stream();
    }

    /** Asked with the sentence to correct, or in general, as the demo asks, so that both answers stand for themselves. */
    private static ObjectNode prompted(Correction correction, String question) {
        ObjectNode fields = object();
        fields.set("prompt", messages(List.of(ChatMessage.user(question))));
        return fields.put("group_id", correction.ruleId());
    }

    private static ObjectNode asked(Correction correction) {
        return prompted(correction, "Write this sentence in correct English: " + correction.original());
    }

    private static ObjectNode judged(Correction correction) {
        return prompted(correction, "Write this sentence in correct English.");
    }

    private static ArrayNode said(String text) {
        return messages(List.of(ChatMessage.assistant(text)));
    }

    private static ObjectNode demonstration(Correction correction) {
        ObjectNode fields = asked(correction);
        fields.set("completion", said(correction.corrected()));
        return fields;
    }

    private static ObjectNode preference(Correction correction) {
        ObjectNode fields = judged(correction);
        fields.set("chosen", said(correction.corrected()));
        fields.set("rejected", said(correction.original()));
        return fields;
    }

    private static Stream<ObjectNode> ratings(Correction correction) {
        ObjectNode liked = judged(correction);
        liked.set("completion", said(correction.corrected()));
        liked.put("label", true);
        ObjectNode disliked = judged(correction);
        disliked.set("completion", said(correction.original()));
        return Stream.of(liked, disliked.put("label", false));
    }

    private static ObjectNode prompt(Correction correction) {
        return asked(correction).put("solution", correction.corrected());
    }

    private static Stream<ObjectNode> labels(Correction correction) {
        List<ObjectNode> both = new ArrayList<>();
        both.add(object().put("text", correction.corrected()).put("label", "right"));
        both.add(object().put("text", correction.original()).put("label", "wrong"));
        both.forEach(fields -> fields.put("group_id", correction.ruleId())
                .put("category", correction.category().toLowerCase(Locale.ROOT)));
        return both.stream();
    }
}

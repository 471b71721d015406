package io.tidemill.preprocess.tokenize;

import com.google.protobuf.Timestamp;
import io.tidemill.preprocess.outcome.Wrapped;
import io.tidemill.preprocess.outcome.WrappedSerde;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.Ids;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Demonstration;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.TokenSequence.Objective;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What can become a token sequence. Each kind knows its id, its text, its objective and where it comes from. */
sealed interface Material extends Wrapped {
    /** For the repartition topics; numbers are never used again. */
    static WrappedSerde<Material> serde() {
        return new WrappedSerde<Material>()
                .kind(1, PlainText.class, Document.parser(), PlainText::new)
                // Both of these are demonstrations, and the message tells which: before 4 there was, 2 was either.
                .kind(2, Conversation.class, Demonstration.parser(), Demonstrated::of)
                .kind(3, CorrectedAnswer.class, Preference.parser(), CorrectedAnswer::new)
                .kind(4, LabelledText.class, Demonstration.parser(), Demonstrated::of);
    }

    /** What its producer calls it, or the hash of its content. */
    @Override
    String id();

    /** "document", "demonstration" or "correction": ids are unique within a kind. */
    String kind();

    /** The same with every text in normal form. */
    Material normalized();

    /** Every text in it, in order. */
    List<String> texts();

    /** Equal for equal content, whatever the id; a document never equals a conversation. */
    String contentKey();

    Objective objective();

    /** Writes down what is right of the text, where that is not the text itself. */
    default void addTarget(TokenSequence.Builder sequence) {}

    Encoded encode(Tokenization tokenization) throws UnusableTextException;

    /** Weight of the training example; an ordinary document weighs 1. */
    double weight();

    Split split(SplitFunction function);

    /** Where the example comes from; {@code ingestTime} is when the broker appended the record. */
    Provenance provenance(Timestamp ingestTime);

    /** Ids of the parents, and of their content where a parent may come again in a new revision. */
    List<String> exampleParents();

    /** A document: all of it is learned. */
    record PlainText(Document message) implements Material {
        @Override
        public Set<String> keys() {
            return ErasureKeys.of(message);
        }

        static PlainText of(Document document) {
            return new PlainText(
                    document.getDocumentId().isEmpty()
                            ? document.toBuilder()
                                    .setDocumentId(Ids.contentHash(document.getText()))
                                    .build()
                            : document);
        }

        @Override
        public String id() {
            return message.getDocumentId();
        }

        @Override
        public String kind() {
            return "document";
        }

        @Override
        public Material normalized() {
            return new PlainText(message.toBuilder()
                    .setText(TextNormalizer.normalize(message.getText()))
                    .build());
        }

        @Override
        public List<String> texts() {
            return List.of(message.getText());
        }

        @Override
        public String contentKey() {
            return "text:" + Ids.contentHash(message.getText());
        }

        @Override
        public Objective objective() {
            return Objective.CAUSAL_LM;
        }

        @Override
        public Encoded encode(Tokenization tokenization) throws UnusableTextException {
            int[] ids = tokenization.encode(message.getText());
            return new Encoded(ids, new byte[0], utf8Bytes(texts())).endedBy(tokenization.endOfText());
        }

        @Override
        public double weight() {
            return 1;
        }

        @Override
        public Split split(SplitFunction function) {
            return function.of(groupId());
        }

        private String groupId() {
            return message.getGroupId().isEmpty() ? id() : message.getGroupId();
        }

        @Override
        public Provenance provenance(Timestamp ingestTime) {
            Provenance.Builder provenance = Provenance.newBuilder()
                    .addParentIds(id())
                    .setSource(message.getSource())
                    .setGroupId(groupId())
                    .addAllSubjects(message.getSubjectsList())
                    .setIngestTime(ingestTime);
            if (message.hasEventTime()) {
                provenance.setEventTime(message.getEventTime());
            }
            return provenance.build();
        }

        @Override
        public List<String> exampleParents() {
            return List.of(id(), contentKey());
        }
    }

    /** What a person showed: a conversation, or a text with its labels or score. */
    sealed interface Demonstrated extends Material {
        static Demonstrated of(Demonstration demonstration) {
            Demonstration named = demonstration.getExampleId().isEmpty()
                    ? demonstration.toBuilder()
                            .setExampleId(Ids.contentHash(
                                    demonstration.getTextTarget().toByteArray(),
                                    Ids.turnHash(demonstration.getMessagesList())
                                            .getBytes(StandardCharsets.UTF_8)))
                            .build()
                    : demonstration;
            return named.hasTextTarget() ? new LabelledText(named) : new Conversation(named);
        }

        @Override
        Demonstration message();

        @Override
        default Set<String> keys() {
            return ErasureKeys.of(message());
        }

        @Override
        default String id() {
            return message().getExampleId();
        }

        @Override
        default String kind() {
            return "demonstration";
        }

        @Override
        default double weight() {
            return 1;
        }

        @Override
        default Split split(SplitFunction function) {
            return function.of(groupId());
        }

        private String groupId() {
            return message().getGroupId().isEmpty() ? id() : message().getGroupId();
        }

        @Override
        default Provenance provenance(Timestamp ingestTime) {
            Provenance.Builder provenance = Provenance.newBuilder()
                    .addParentIds(id())
                    .setSource(message().getSource())
                    .setGroupId(groupId())
                    .addAllSubjects(message().getSubjectsList())
                    .setIngestTime(ingestTime);
            if (message().hasEventTime()) {
                provenance.setEventTime(message().getEventTime());
            }
            return provenance.build();
        }

        @Override
        default List<String> exampleParents() {
            return List.of(id(), contentKey());
        }
    }

    /** A conversation: what the assistant says is learned. */
    record Conversation(Demonstration message) implements Demonstrated {
        @Override
        public Material normalized() {
            return new Conversation(message.toBuilder()
                    .clearMessages()
                    .addAllMessages(normalize(message.getMessagesList()))
                    .build());
        }

        @Override
        public List<String> texts() {
            return contents(message.getMessagesList());
        }

        @Override
        public String contentKey() {
            return chatKey(message.getMessagesList());
        }

        @Override
        public Objective objective() {
            return Objective.SFT;
        }

        @Override
        public Encoded encode(Tokenization tokenization) throws UnusableTextException {
            return tokenization.encode(message.getMessagesList());
        }
    }

    /**
     * A text to classify or score: labels and score are learned. Labels are taken as they are given, each once; a text with
     * other labels is other content.
     */
    record LabelledText(Demonstration message) implements Demonstrated {
        @Override
        public Material normalized() {
            Demonstration.Builder builder = message.toBuilder();
            builder.getTextTargetBuilder()
                    .setText(TextNormalizer.normalize(message.getTextTarget().getText()))
                    .clearLabels()
                    .addAllLabels(new LinkedHashSet<>(message.getTextTarget().getLabelsList()));
            return new LabelledText(builder.build());
        }

        @Override
        public List<String> texts() {
            return List.of(message.getTextTarget().getText());
        }

        @Override
        public String contentKey() {
            return "target:" + Ids.contentHash(message.getTextTarget().toByteArray());
        }

        @Override
        public Objective objective() {
            return Objective.LABELS;
        }

        @Override
        public void addTarget(TokenSequence.Builder sequence) {
            sequence.addAllLabels(message.getTextTarget().getLabelsList());
            if (message.getTextTarget().hasScore()) {
                sequence.setScore(message.getTextTarget().getScore());
            }
        }

        /** The text alone: what a model puts around it, and how long it may be, is the model's business. */
        @Override
        public Encoded encode(Tokenization tokenization) throws UnusableTextException {
            return new Encoded(tokenization.encode(message.getTextTarget().getText()), new byte[0], utf8Bytes(texts()));
        }
    }

    /** A preference that came of a correction: prompt and corrected answer are a demonstration. */
    record CorrectedAnswer(Preference message) implements Material {
        @Override
        public Set<String> keys() {
            return ErasureKeys.of(message);
        }

        /** Null where the preference is of another origin and none of this topology's business. */
        static CorrectedAnswer of(Preference preference) {
            return preference.getOrigin() == Preference.Origin.CORRECTION && preference.hasPair()
                    ? new CorrectedAnswer(preference)
                    : null;
        }

        @Override
        public String id() {
            return message.getExampleId();
        }

        @Override
        public String kind() {
            return "correction";
        }

        @Override
        public Material normalized() {
            Preference.Builder builder =
                    message.toBuilder().clearMessages().addAllMessages(normalize(message.getMessagesList()));
            builder.getPairBuilder()
                    .getChosenBuilder()
                    .setText(TextNormalizer.normalize(
                            message.getPair().getChosen().getText()));
            return new CorrectedAnswer(builder.build());
        }

        private List<ChatMessage> conversation() {
            List<ChatMessage> conversation = new ArrayList<>(message.getMessagesList());
            conversation.add(ChatMessage.newBuilder()
                    .setRole("assistant")
                    .setContent(message.getPair().getChosen().getText())
                    .build());
            return conversation;
        }

        @Override
        public List<String> texts() {
            return contents(conversation());
        }

        @Override
        public String contentKey() {
            return chatKey(conversation());
        }

        @Override
        public Objective objective() {
            return Objective.SFT;
        }

        @Override
        public Encoded encode(Tokenization tokenization) throws UnusableTextException {
            return tokenization.encode(conversation());
        }

        @Override
        public double weight() {
            return message.getWeight();
        }

        /** The pair's own side: what is derived inherits it. */
        @Override
        public Split split(SplitFunction function) {
            return message.getSplit() == Split.SPLIT_UNSPECIFIED
                    ? function.of(message.getProvenance().getGroupId())
                    : message.getSplit();
        }

        @Override
        public Provenance provenance(Timestamp ingestTime) {
            return message.getProvenance();
        }

        @Override
        public List<String> exampleParents() {
            return message.getProvenance().getParentIdsList();
        }
    }

    /** UTF-8 length of all texts; bytes. */
    static long utf8Bytes(List<String> texts) {
        return texts.stream()
                .mapToLong(text -> text.getBytes(StandardCharsets.UTF_8).length)
                .sum();
    }

    private static List<String> contents(List<ChatMessage> messages) {
        return messages.stream().map(ChatMessage::getContent).toList();
    }

    private static String chatKey(List<ChatMessage> messages) {
        return "chat:" + Ids.turnHash(messages);
    }

    private static List<ChatMessage> normalize(List<ChatMessage> messages) {
        return messages.stream()
                .map(message -> message.toBuilder()
                        .setContent(TextNormalizer.normalize(message.getContent()))
                        .build())
                .toList();
    }
}

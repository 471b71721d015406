package io.tidemill.auditor;

import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A record that a round may learn from, as far as an auditor cares.
 *
 * @param id         example id; empty where it cannot be read
 * @param origin     what its parents are
 * @param parents    ids of the events that it was made of
 * @param split      as it says itself; unspecified where it has none (prompts)
 * @param provenance group and subjects
 * @param flaw       why no round can use it; empty where one can, as far as can be told without the model
 */
record Example(
        String id, Origin origin, List<String> parents, Split split, Provenance provenance, Optional<String> flaw) {
    private static final Set<String> ROLES = Set.of("system", "user", "assistant");

    /** What an example was made of, and so where its parents are found. */
    enum Origin {
        DOCUMENT,
        DEMONSTRATION,
        /** Feedback and the completions that it is about. */
        SAID,
        /** The demonstration that a correction makes, besides its pair. */
        CORRECTION,
        PROMPT,
        UNKNOWN
    }

    /** @param vocabulary ids must be below it */
    static Example of(ConsumerRecord<byte[], byte[]> record, Topics topics, int vocabulary) {
        if (record.topic().equals(topics.preferences())) {
            return Wire.read(Preference.getDefaultInstance(), record.value(), record.headers())
                    .map(Example::of)
                    .orElse(unreadable());
        }
        if (record.topic().equals(topics.prompts())) {
            return Wire.read(Prompt.getDefaultInstance(), record.value(), record.headers())
                    .map(Example::of)
                    .orElse(unreadable());
        }
        return Wire.read(TokenSequence.getDefaultInstance(), record.value(), record.headers())
                .map(sequence -> of(sequence, vocabulary))
                .orElse(unreadable());
    }

    static Example of(TokenSequence sequence, int vocabulary) {
        List<String> parents = sequence.getProvenance().getParentIdsList();
        Origin origin =
                switch (sequence.getObjective()) {
                    case CAUSAL_LM -> Origin.DOCUMENT;
                    // A correction's parents are the feedback and what it corrects; a demonstration is its own parent.
                    case SFT -> parents.size() > 1 ? Origin.CORRECTION : Origin.DEMONSTRATION;
                    case LABELS -> Origin.DEMONSTRATION;
                    default -> Origin.UNKNOWN;
                };
        int mask = sequence.getLossMask().size();
        Optional<String> flaw = Optional.empty();
        if (sequence.getExampleId().isEmpty() || sequence.getIdsCount() == 0) {
            flaw = Optional.of("it has no id or no tokens");
        } else if (mask != 0 && mask != sequence.getIdsCount()) {
            flaw = Optional.of("its mask has " + mask + " bytes for " + sequence.getIdsCount() + " tokens");
        } else if (sequence.getIdsList().stream().anyMatch(id -> id < 0 || id >= vocabulary)) {
            flaw = Optional.of("its tokens are of another vocabulary");
        } else if (sequence.getObjective() == TokenSequence.Objective.LABELS
                && (!Double.isFinite(sequence.getScore())
                        || (!sequence.hasScore() && sequence.getLabelsCount() == 0))) {
            flaw = Optional.of("it has neither label nor score");
        }
        return new Example(
                sequence.getExampleId(),
                origin,
                parents,
                sequence.getSplit(),
                sequence.getProvenance(),
                flaw.or(() -> flaw(sequence.getSplit(), sequence.getWeight())));
    }

    static Example of(Preference preference) {
        Optional<String> flaw = Optional.empty();
        if (preference.getExampleId().isEmpty()
                || (!preference.hasPair() && !preference.hasScored() && preference.getWithdrawnCount() == 0)) {
            flaw = Optional.of("it has no id or no content");
        }
        return new Example(
                preference.getExampleId(),
                Origin.SAID,
                preference.getProvenance().getParentIdsList(),
                preference.getSplit(),
                preference.getProvenance(),
                flaw.or(() -> badRole(preference.getMessagesList()))
                        .or(() -> flaw(preference.getSplit(), preference.getWeight())));
    }

    static Example of(Prompt prompt) {
        return new Example(
                Hash.exampleId(List.of(prompt.getPromptId()), "rollout"),
                Origin.PROMPT,
                List.of(prompt.getPromptId()),
                Split.SPLIT_UNSPECIFIED,
                Provenance.newBuilder()
                        .setGroupId(prompt.getGroupId())
                        .setSource(prompt.getSource())
                        .addAllSubjects(prompt.getSubjectsList())
                        .build(),
                prompt.getMessagesCount() == 0 ? Optional.of("it has no messages") : badRole(prompt.getMessagesList()));
    }

    private static Example unreadable() {
        return new Example(
                "",
                Origin.UNKNOWN,
                List.of(),
                Split.SPLIT_UNSPECIFIED,
                Provenance.getDefaultInstance(),
                Optional.of("its bytes cannot be read"));
    }

    private static Optional<String> flaw(Split split, double weight) {
        if (split != Split.TRAIN && split != Split.HELD_OUT) {
            return Optional.of("its split is " + split);
        }
        return weight >= 0 && !Double.isInfinite(weight) ? Optional.empty() : Optional.of("its weight is " + weight);
    }

    private static Optional<String> badRole(List<ChatMessage> messages) {
        return messages.stream()
                .filter(message -> !ROLES.contains(message.getRole()))
                .findFirst()
                .map(message -> "a role is '" + message.getRole() + "'");
    }
}

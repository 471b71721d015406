package io.tidemill.proto;

import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Demonstration;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Rating;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.SelfContained;
import io.tidemill.proto.v1.TextTarget;
import io.tidemill.proto.v1.TokenSequence;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** A reader for each topic, with what the {@code .proto} files call required. */
public final class Readers {
    private static final Set<String> ROLES = Set.of("system", "user", "assistant");
    private static final int DEFAULT_STARS = 5;

    private Readers() {}

    public static RecordReader<Document> documents() {
        return new RecordReader<>(Document.getDefaultInstance(), document -> required("text", document.getText()));
    }

    public static RecordReader<Demonstration> demonstrations() {
        return new RecordReader<>(Demonstration.getDefaultInstance(), Readers::check);
    }

    public static RecordReader<Prompt> prompts() {
        return new RecordReader<>(
                Prompt.getDefaultInstance(), prompt -> messages("messages", prompt.getMessagesList()));
    }

    public static RecordReader<Completion> completions() {
        return new RecordReader<>(Completion.getDefaultInstance(), completion -> {
            required("completion_id", completion.getCompletionId());
            required("turn_id", completion.getTurnId());
            messages("messages", completion.getMessagesList());
            required("model_version", completion.getModelVersion());
        });
    }

    public static RecordReader<Feedback> feedback() {
        return new RecordReader<>(Feedback.getDefaultInstance(), Readers::check);
    }

    public static RecordReader<TokenSequence> tokenSequences() {
        return new RecordReader<>(TokenSequence.getDefaultInstance(), sequence -> {
            required("example_id", sequence.getExampleId());
            present("ids", sequence.getIdsCount() > 0);
            int mask = sequence.getLossMask().size();
            if (mask != 0 && mask != sequence.getIdsCount()) {
                throw Refusal.wrongValue(
                        "loss_mask",
                        "empty or one byte for each of " + sequence.getIdsCount() + " ids",
                        mask + " bytes");
            }
            if (sequence.getObjective() == TokenSequence.Objective.LABELS) {
                present("labels or score", sequence.hasScore() || sequence.getLabelsCount() > 0);
                finite("score", sequence.getScore());
            }
        });
    }

    public static RecordReader<Preference> preferences() {
        return new RecordReader<>(Preference.getDefaultInstance(), preference -> {
            required("example_id", preference.getExampleId());
            present(
                    "pair, scored or withdrawn",
                    preference.hasPair() || preference.hasScored() || preference.getWithdrawnCount() > 0);
        });
    }

    public static RecordReader<CheckpointEvent> checkpoints() {
        return new RecordReader<>(CheckpointEvent.getDefaultInstance(), event -> {
            required("model", event.getModel());
            required("version", event.getVersion());
        });
    }

    public static RecordReader<RoundEvent> rounds() {
        return new RecordReader<>(RoundEvent.getDefaultInstance(), event -> required("model", event.getModel()));
    }

    public static RecordReader<Command> commands() {
        return new RecordReader<>(Command.getDefaultInstance(), command -> {
            required("model", command.getModel());
            present(
                    "one of start_round, pause, resume, promote, rollback, release, quiet_hours, retrain",
                    command.getKindCase() != Command.KindCase.KIND_NOT_SET);
        });
    }

    public static RecordReader<Rejected> rejected() {
        return new RecordReader<>(Rejected.getDefaultInstance(), rejected -> {
            required("stage", rejected.getStage());
            required("reason", rejected.getReason());
        });
    }

    public static RecordReader<Erasure> erasures() {
        return new RecordReader<>(Erasure.getDefaultInstance(), erasure -> {
            List<String> named = Stream.of(
                            erasure.getSubject().isEmpty() ? "" : "subject",
                            erasure.getDocumentId().isEmpty() ? "" : "document_id",
                            erasure.getSource().isEmpty() ? "" : "source")
                    .filter(name -> !name.isEmpty())
                    .toList();
            present("one of subject, document_id and source", !named.isEmpty());
            if (named.size() > 1) {
                throw Refusal.wrongValue(
                        "An erasure", "of one of subject, document_id and source", String.join(" and ", named));
            }
        });
    }

    private static void check(Demonstration demonstration) throws Refusal {
        boolean chat = demonstration.getMessagesCount() > 0;
        if (chat == demonstration.hasTextTarget()) {
            throw chat
                    ? Refusal.wrongValue("A demonstration", "either messages or text_target", "both")
                    : Refusal.missing("messages or text_target");
        }
        if (chat) {
            messages("messages", demonstration.getMessagesList());
            present(
                    "a message of role assistant, which is what is learned,",
                    demonstration.getMessagesList().stream()
                            .anyMatch(message -> message.getRole().equals("assistant")
                                    && !message.getContent().isEmpty()));
        } else {
            check(demonstration.getTextTarget());
        }
    }

    private static void check(TextTarget target) throws Refusal {
        required("text_target.text", target.getText());
        present("text_target.labels or text_target.score", target.hasScore() || target.getLabelsCount() > 0);
        for (int i = 0; i < target.getLabelsCount(); i++) {
            if (target.getLabels(i).isBlank()) {
                throw Refusal.wrongValue(
                        "text_target.labels[" + i + "]",
                        "a label, not blank",
                        "\"" + Refusal.shown(target.getLabels(i)) + "\"");
            }
        }
        finite("text_target.score", target.getScore());
    }

    private static void check(Feedback feedback) throws Refusal {
        boolean selfContained = feedback.getComparison().hasSelfContained();
        if (!selfContained) {
            required("turn_id", feedback.getTurnId());
        }
        switch (feedback.getKindCase()) {
            case THUMB -> required("thumb.completion_id", feedback.getThumb().getCompletionId());
            case RATING -> check(feedback.getRating());
            case COMPARISON -> check(feedback.getComparison());
            case CORRECTION -> {
                required("correction.completion_id", feedback.getCorrection().getCompletionId());
                required("correction.corrected", feedback.getCorrection().getCorrected());
            }
            case COMMENT -> required("comment.text", feedback.getComment().getText());
            case LABEL -> required("label.name", feedback.getLabel().getName());
            case WITHDRAWAL ->
                required("withdrawal.feedback_id", feedback.getWithdrawal().getFeedbackId());
            case KIND_NOT_SET ->
                throw Refusal.missing("one of thumb, rating, comparison, correction, comment, label, withdrawal");
        }
    }

    private static void check(Rating rating) throws Refusal {
        required("rating.completion_id", rating.getCompletionId());
        int most = rating.getOutOf() == 0 ? DEFAULT_STARS : rating.getOutOf();
        if (rating.getStars() < 1 || rating.getStars() > most) {
            throw Refusal.wrongValue("rating.stars", "from 1 to " + most, Integer.toString(rating.getStars()));
        }
    }

    private static void check(Comparison comparison) throws Refusal {
        if (comparison.getVerdict() == Comparison.Verdict.VERDICT_UNSPECIFIED
                || comparison.getVerdict() == Comparison.Verdict.UNRECOGNIZED) {
            throw Refusal.wrongValue(
                    "comparison.verdict",
                    "A_BETTER, B_BETTER, TIE or BOTH_BAD",
                    Integer.toString(comparison.getVerdictValue()));
        }
        if (comparison.hasSelfContained()) {
            SelfContained whole = comparison.getSelfContained();
            messages("comparison.self_contained.messages", whole.getMessagesList());
            required("comparison.self_contained.answer_a", whole.getAnswerA());
            required("comparison.self_contained.answer_b", whole.getAnswerB());
        } else {
            required("comparison.completion_a", comparison.getCompletionA());
            required("comparison.completion_b", comparison.getCompletionB());
            if (comparison.getCompletionA().equals(comparison.getCompletionB())) {
                throw Refusal.wrongValue(
                        "comparison.completion_b", "another completion than completion_a", comparison.getCompletionB());
            }
        }
    }

    private static void messages(String path, List<ChatMessage> messages) throws Refusal {
        present(path, !messages.isEmpty());
        for (int i = 0; i < messages.size(); i++) {
            if (!ROLES.contains(messages.get(i).getRole())) {
                throw Refusal.wrongValue(
                        path + "[" + i + "].role",
                        "system, user or assistant",
                        "\"" + Refusal.shown(messages.get(i).getRole()) + "\"");
            }
        }
    }

    private static void required(String path, String value) throws Refusal {
        present(path, !value.isEmpty());
    }

    private static void present(String path, boolean present) throws Refusal {
        if (!present) {
            throw Refusal.missing(path);
        }
    }

    private static void finite(String path, double value) throws Refusal {
        if (!Double.isFinite(value)) {
            throw Refusal.wrongValue(path, "a finite number", Double.toString(value));
        }
    }
}

package io.tidemill.proto;

import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Demonstration;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.TokenSequence;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What an erasure names and what a record goes by, in one form: {@code subject/…}, {@code document/…}, {@code source/…}. An
 * erasure concerns a record that goes by its key. Records are matched by what they say of themselves, never by their text.
 */
public final class ErasureKeys {
    private static final String SUBJECT = "subject/";
    private static final String DOCUMENT = "document/";
    private static final String SOURCE = "source/";
    private static final String SESSION = "session:";

    private ErasureKeys() {}

    /** What is erased; also the erasure's key in its topic. */
    public static String of(Erasure erasure) {
        if (!erasure.getSubject().isEmpty()) {
            return SUBJECT + erasure.getSubject();
        }
        return erasure.getDocumentId().isEmpty() ? SOURCE + erasure.getSource() : DOCUMENT + erasure.getDocumentId();
    }

    /** "subject", "document" or "source". */
    public static String kind(String key) {
        return key.substring(0, key.indexOf('/'));
    }

    public static Set<String> of(Document document) {
        return new Keys()
                .subjects(document.getSubjectsList())
                .ids(document.getDocumentId(), document.getGroupId())
                .source(document.getSource())
                .set;
    }

    public static Set<String> of(Demonstration demonstration) {
        return new Keys()
                .subjects(demonstration.getSubjectsList())
                .ids(demonstration.getExampleId(), demonstration.getGroupId())
                .source(demonstration.getSource())
                .set;
    }

    public static Set<String> of(Prompt prompt) {
        return new Keys()
                .subjects(prompt.getSubjectsList())
                .ids(prompt.getPromptId(), prompt.getGroupId())
                .source(prompt.getSource())
                .set;
    }

    public static Set<String> of(Completion completion) {
        return new Keys()
                .subjects(completion.getSubjectsList())
                .ids(
                        completion.getCompletionId(),
                        completion.getResponseId(),
                        completion.getTurnId(),
                        completion.getSessionId(),
                        completion.getGroupId())
                .set;
    }

    /** The rater is one of its subjects, and what is said of an answer goes with the answer. */
    public static Set<String> of(Feedback feedback) {
        return new Keys()
                .subjects(feedback.getSubjectsList())
                .subjects(List.of(feedback.getPrincipal().getSubject()))
                .ids(feedback.getFeedbackId(), feedback.getTurnId(), feedback.getGroupId())
                .ids(
                        feedback.getThumb().getCompletionId(),
                        feedback.getRating().getCompletionId(),
                        feedback.getComparison().getCompletionA(),
                        feedback.getComparison().getCompletionB(),
                        feedback.getCorrection().getCompletionId(),
                        feedback.getComment().getCompletionId(),
                        feedback.getLabel().getCompletionId())
                .source(feedback.getSource())
                .set;
    }

    public static Set<String> of(Preference preference) {
        Keys keys = new Keys().provenance(preference.getProvenance());
        for (Answer answer : List.of(
                preference.getPair().getChosen(),
                preference.getPair().getRejected(),
                preference.getScored().getAnswer())) {
            keys.ids(answer.getCompletionId());
        }
        return keys.set;
    }

    public static Set<String> of(TokenSequence sequence) {
        return new Keys().provenance(sequence.getProvenance()).set;
    }

    private static final class Keys {
        private final Set<String> set = new LinkedHashSet<>();

        Keys provenance(Provenance provenance) {
            return subjects(provenance.getSubjectsList())
                    .subjects(List.of(provenance.getPrincipal().getSubject()))
                    .ids(provenance.getParentIdsList().toArray(String[]::new))
                    .ids(provenance.getGroupId())
                    .source(provenance.getSource());
        }

        Keys subjects(List<String> subjects) {
            subjects.forEach(subject -> add(SUBJECT, subject));
            return this;
        }

        /**
         * A completion's id begins with that of its response, and a group's may have a session's in it: those are what people
         * see.
         */
        Keys ids(String... ids) {
            for (String id : ids) {
                add(DOCUMENT, id);
                add(DOCUMENT, id.startsWith(SESSION) ? id.substring(SESSION.length()) : "");
                int slash = id.lastIndexOf('/');
                add(DOCUMENT, slash < 0 ? "" : id.substring(0, slash));
            }
            return this;
        }

        Keys source(String source) {
            add(SOURCE, source);
            return this;
        }

        private void add(String kind, String name) {
            if (!name.isEmpty()) {
                set.add(kind + name);
            }
        }
    }
}

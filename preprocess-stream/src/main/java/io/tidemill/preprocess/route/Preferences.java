package io.tidemill.preprocess.route;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.Ids;
import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Preference.Origin;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Rating;
import io.tidemill.proto.v1.Scored;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Makes preferences of feedback and the completions it is about. Keeps no state. */
final class Preferences {
    /** Source that marks a comparison as brought from elsewhere. */
    static final String EXTERNAL_SOURCE = "external";

    private static final String PAIR = "PREFERENCE_PAIR";
    private static final String SCORE = "PREFERENCE_SCORE";
    private static final String WITHDRAWAL = "WITHDRAWAL";
    private static final int DEFAULT_STARS = 5;

    private final RouteSettings settings;

    Preferences(RouteSettings settings) {
        this.settings = settings;
    }

    /** A comparison that brings prompt and answers. */
    Preference selfContained(Feedback feedback, long ingestedMillis) {
        Comparison comparison = feedback.getComparison();
        Answer a = Answer.newBuilder()
                .setText(comparison.getSelfContained().getAnswerA())
                .build();
        Answer b = Answer.newBuilder()
                .setText(comparison.getSelfContained().getAnswerB())
                .build();
        Origin origin = feedback.getSource().equals(EXTERNAL_SOURCE) ? Origin.EXTERNAL : Origin.COMPARISON;
        return pair(
                feedback,
                List.of(),
                comparison.getSelfContained().getMessagesList(),
                ordered(comparison, a, b),
                origin,
                ingestedMillis);
    }

    /** A comparison of two completions of one turn. */
    Preference comparison(Feedback feedback, Completion a, Completion b, long ingestedMillis) {
        return pair(
                feedback,
                List.of(a, b),
                a.getMessagesList(),
                ordered(feedback.getComparison(), answer(a), answer(b)),
                Origin.COMPARISON,
                ingestedMillis);
    }

    /** What the answer should have been, preferred to what it was. */
    Preference correction(Feedback feedback, Completion completion, long ingestedMillis) {
        Answer corrected = Answer.newBuilder()
                .setText(feedback.getCorrection().getCorrected())
                .build();
        Pair pair = Pair.newBuilder()
                .setChosen(corrected)
                .setRejected(answer(completion))
                .build();
        return pair(
                feedback, List.of(completion), completion.getMessagesList(), pair, Origin.CORRECTION, ingestedMillis);
    }

    /** A thumb or stars as a score from 0 to 1. */
    Preference scored(Feedback feedback, Completion completion, long ingestedMillis) {
        Scored scored = Scored.newBuilder()
                .setAnswer(answer(completion))
                .setScore(score(feedback))
                .build();
        return preference(
                        feedback,
                        List.of(completion),
                        completion.getMessagesList(),
                        SCORE,
                        Origin.RATINGS,
                        ingestedMillis)
                .setScored(scored)
                .build();
    }

    /**
     * Says that an older feedback counts no more.
     *
     * @param by   the feedback that takes it back or is the newer word
     * @param turn a completion of its turn, by whose prompt open ratings are found; none where it brought its answers
     */
    Preference takingBack(String older, Feedback by, List<Completion> turn, long ingestedMillis) {
        List<ChatMessage> messages = turn.stream()
                .flatMap(completion -> completion.getMessagesList().stream())
                .toList();
        return preference(by, List.of(), messages, WITHDRAWAL, Origin.ORIGIN_UNSPECIFIED, ingestedMillis)
                .addWithdrawn(older)
                .build();
    }

    /**
     * Two scored answers to one prompt as a pair. Both stand on one side of the split, and so does the pair, which takes
     * the group of the better answer.
     */
    static Preference ofRatings(Preference better, Preference worse) {
        Provenance up = better.getProvenance();
        Provenance down = worse.getProvenance();
        Provenance.Builder provenance = up.toBuilder()
                .clearParentIds()
                .addAllParentIds(union(up.getParentIdsList().stream(), down.getParentIdsList().stream()))
                .clearSubjects()
                .addAllSubjects(union(up.getSubjectsList().stream(), down.getSubjectsList().stream()))
                .setEventTime(later(up.getEventTime(), down.getEventTime()))
                .setIngestTime(later(up.getIngestTime(), down.getIngestTime()));
        if (!up.getPrincipal().equals(down.getPrincipal())) {
            provenance.clearPrincipal();
        }
        return better.toBuilder()
                .clearScored()
                .setExampleId(Ids.exampleId(provenance.getParentIdsList(), PAIR, 0))
                .setPair(Pair.newBuilder()
                        .setChosen(better.getScored().getAnswer())
                        .setRejected(worse.getScored().getAnswer()))
                .setWeight(Math.min(better.getWeight(), worse.getWeight()))
                .setProvenance(provenance)
                .build();
    }

    /** 1 best, 0 worst. */
    static double score(Feedback feedback) {
        if (feedback.hasThumb()) {
            return feedback.getThumb().getUp() ? 1 : 0;
        }
        Rating rating = feedback.getRating();
        int best = rating.getOutOf() == 0 ? DEFAULT_STARS : rating.getOutOf();
        return best == 1 ? 1 : (rating.getStars() - 1.0) / (best - 1.0);
    }

    private Preference pair(
            Feedback feedback,
            List<Completion> completions,
            List<ChatMessage> messages,
            Pair pair,
            Origin origin,
            long ingestedMillis) {
        return preference(feedback, completions, messages, PAIR, origin, ingestedMillis)
                .setPair(pair)
                .build();
    }

    private Preference.Builder preference(
            Feedback feedback,
            List<Completion> completions,
            List<ChatMessage> messages,
            String objective,
            Origin origin,
            long ingestedMillis) {
        List<String> parents = Stream.concat(
                        Stream.of(feedback.getFeedbackId()),
                        completions.stream().map(Completion::getCompletionId))
                .toList();
        String group = group(feedback, completions);
        Timestamp ingested = Timestamps.fromMillis(ingestedMillis);
        Provenance.Builder provenance = Provenance.newBuilder()
                .addAllParentIds(parents)
                .setSource(feedback.getSource())
                .setGroupId(group)
                .addAllSubjects(union(
                        feedback.getSubjectsList().stream(),
                        completions.stream().flatMap(completion -> completion.getSubjectsList().stream())))
                .setEventTime(feedback.hasEventTime() ? feedback.getEventTime() : ingested)
                .setIngestTime(ingested);
        if (feedback.hasPrincipal()) {
            provenance.setPrincipal(feedback.getPrincipal());
        }
        return Preference.newBuilder()
                .setExampleId(Ids.exampleId(parents, objective, 0))
                .addAllMessages(messages)
                .setWeight(settings.trust().weight(feedback.getPrincipal()))
                .setSplit(settings.split().of(group))
                .setProvenance(provenance)
                .setOrigin(origin);
    }

    /** What stays on one side of the split: the rule or conversation it names, else the completion's, else the turn. */
    private static String group(Feedback feedback, List<Completion> completions) {
        return Stream.of(
                        Stream.of(feedback.getGroupId()),
                        completions.stream().map(Completion::getGroupId),
                        Stream.of(feedback.getTurnId(), feedback.getFeedbackId()))
                .flatMap(candidates -> candidates)
                .filter(candidate -> !candidate.isEmpty())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("feedback without an id"));
    }

    private static Pair ordered(Comparison comparison, Answer a, Answer b) {
        boolean aBetter = comparison.getVerdict() == Comparison.Verdict.A_BETTER;
        return Pair.newBuilder()
                .setChosen(aBetter ? a : b)
                .setRejected(aBetter ? b : a)
                .build();
    }

    private static Answer answer(Completion completion) {
        Answer.Builder answer = Answer.newBuilder()
                .setText(completion.getAnswer())
                .setCompletionId(completion.getCompletionId())
                .setModelVersion(completion.getModelVersion())
                .addAllTokens(completion.getAnswerTokensList())
                .addAllLogProbs(completion.getAnswerLogProbsList());
        if (completion.hasSampling()) {
            answer.setSampling(completion.getSampling());
        }
        return answer.build();
    }

    private static Set<String> union(Stream<String> first, Stream<String> second) {
        Set<String> union = new LinkedHashSet<>();
        Stream.concat(first, second).forEach(union::add);
        return union;
    }

    private static Timestamp later(Timestamp one, Timestamp other) {
        return Timestamps.compare(one, other) >= 0 ? one : other;
    }
}

package io.tidemill.trainer.promotion;

import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.ArmFigures;
import io.tidemill.proto.v1.CanaryFigures;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Rating;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * What people say of the answers of a canary and of its champion, and what follows from it: a function of the records of
 * the log and of nothing else, whatever order they are handed over in.
 *
 * <p>A conversation stays on the arm that it was drawn for, so it counts once: by the first rating of any of its answers.
 * As soon as both arms have been rated since the last comparison, the means of both are compared, which is one
 * difference for the {@link SequentialTest}; so what changes from hour to hour changes for both. A person's choice
 * between an answer of one arm and one of the other is a difference by itself.
 *
 * <pre>
 *   thumb 0 or 1 · stars (s − 1)/(n − 1) · two answers of one arm: 0 where both were bad, else 1
 * </pre>
 *
 * <p>What the same conversation says later moves nothing, nor does a withdrawal: nobody can play on until the result suits.
 */
final class ArmRatings {
    /** Answers that are remembered while nobody has rated them; some 200 bytes each. */
    private static final int REMEMBERED = 200_000;

    private static final Comparator<Said> ORDER = Comparator.comparingLong(Said::timestamp)
            .thenComparingInt(Said::partition)
            .thenComparingLong(Said::offset);

    private final String canary;
    private final String champion;
    private final CanaryFigures rule;
    private final long untilMillis;
    private final Map<String, Given> answers = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Given> eldest) {
            return size() > REMEMBERED;
        }
    };
    private final List<Said> said = new ArrayList<>();
    private final Map<Arm, Long> completions = new HashMap<>();
    private boolean changed = true;
    private CanaryFigures figures;
    private Optional<Boolean> good = Optional.empty();

    private enum Arm {
        CANARY,
        CHAMPION
    }

    /** @param drawn its arm was drawn, so that it can be compared with the answers of the other one */
    private record Given(Arm arm, String conversation, boolean drawn) {}

    private record Said(long timestamp, int partition, long offset, Feedback feedback) {}

    /** @param announced the event that made the version a canary */
    ArmRatings(CheckpointEvent announced) {
        this.canary = announced.getVersion();
        this.champion = announced.getParent();
        this.rule = announced.getCanary();
        this.untilMillis = Timestamps.toMillis(rule.getUntil());
        this.figures = rule;
    }

    void take(Completion completion) {
        boolean ofCanary = completion.getModelVersion().equals(canary);
        if (!ofCanary && !completion.getModelVersion().equals(champion)) {
            return;
        }
        Arm arm = ofCanary ? Arm.CANARY : Arm.CHAMPION;
        boolean drawn = completion.getCanaryVersion().equals(canary);
        String conversation = completion.getGroupId().isEmpty() ? completion.getTurnId() : completion.getGroupId();
        boolean isNew = answers.put(completion.getCompletionId(), new Given(arm, conversation, drawn)) == null;
        if (isNew && drawn) {
            completions.merge(arm, 1L, Long::sum);
        }
        changed = true;
    }

    /** @param timestamp when the broker appended it; milliseconds since the epoch */
    void take(Feedback feedback, long timestamp, int partition, long offset) {
        if (timestamp <= untilMillis && (feedback.hasThumb() || feedback.hasRating() || feedback.hasComparison())) {
            said.add(new Said(timestamp, partition, offset, feedback));
            changed = true;
        }
    }

    /** Whether the canary has shown to be good enough (true) or too bad; empty while it has shown neither. */
    Optional<Boolean> good() {
        count();
        return good;
    }

    /** Up to the rating that decided. */
    CanaryFigures figures() {
        count();
        return figures;
    }

    private void count() {
        if (changed) {
            changed = false;
            said.sort(ORDER);
            Count count = new Count();
            for (Said one : said) {
                count.take(one.feedback());
                if (count.good().isPresent()) {
                    break;
                }
            }
            good = count.good();
            figures = count.figures();
        }
    }

    /** One reading of all that was said, in its order. */
    private final class Count {
        private final SequentialTest test = new SequentialTest(-rule.getMargin(), 1 / rule.getEvidenceNeeded());
        private final Map<Arm, Scores> arms = Map.of(Arm.CANARY, new Scores(), Arm.CHAMPION, new Scores());
        private final Set<String> heard = new HashSet<>();

        void take(Feedback feedback) {
            switch (feedback.getKindCase()) {
                case THUMB ->
                    score(
                            feedback.getThumb().getCompletionId(),
                            feedback.getThumb().getUp() ? 1 : 0);
                case RATING -> {
                    Rating rating = feedback.getRating();
                    stars(rating).ifPresent(stars -> score(rating.getCompletionId(), stars));
                }
                case COMPARISON -> compare(feedback.getComparison());
                default -> {}
            }
        }

        private static OptionalDouble stars(Rating rating) {
            int outOf = rating.getOutOf() == 0 ? 5 : rating.getOutOf();
            boolean usable = outOf > 1 && rating.getStars() >= 1 && rating.getStars() <= outOf;
            return usable ? OptionalDouble.of((rating.getStars() - 1) / (outOf - 1.0)) : OptionalDouble.empty();
        }

        private void compare(Comparison comparison) {
            Given a = answers.get(comparison.getCompletionA());
            Given b = answers.get(comparison.getCompletionB());
            if (a == null || b == null) {
                return;
            }
            if (a.arm() == b.arm()) {
                score(comparison.getCompletionA(), comparison.getVerdict() == Comparison.Verdict.BOTH_BAD ? 0 : 1);
            } else if (heard.add("choice:" + a.conversation()) && heard.add("choice:" + b.conversation())) {
                Given better =
                        switch (comparison.getVerdict()) {
                            case A_BETTER -> a;
                            case B_BETTER -> b;
                            default -> null;
                        };
                test.add(better == null ? 0 : better.arm() == Arm.CANARY ? 1 : -1);
            }
        }

        private void score(String completionId, double score) {
            Given given = answers.get(completionId);
            if (given == null || !given.drawn() || !heard.add(given.conversation())) {
                return;
            }
            arms.get(given.arm()).add(score);
            Scores ofCanary = arms.get(Arm.CANARY);
            Scores ofChampion = arms.get(Arm.CHAMPION);
            if (ofCanary.waiting() && ofChampion.waiting()) {
                test.add(ofCanary.next() - ofChampion.next());
            }
        }

        Optional<Boolean> good() {
            if (test.size() < rule.getComparisonsNeeded()) {
                return Optional.empty();
            }
            return test.evidenceAbove() >= test.evidenceNeeded()
                    ? Optional.of(true)
                    : test.evidenceBelow() >= test.evidenceNeeded() ? Optional.of(false) : Optional.empty();
        }

        CanaryFigures figures() {
            return rule.toBuilder()
                    .setCanary(arm(Arm.CANARY))
                    .setChampion(arm(Arm.CHAMPION))
                    .setComparisons(test.size())
                    .setDifference(test.mean())
                    .setDifferenceLow(test.low())
                    .setDifferenceHigh(test.high())
                    .setEvidenceFor(test.evidenceAbove())
                    .setEvidenceAgainst(test.evidenceBelow())
                    .build();
        }

        private ArmFigures arm(Arm arm) {
            Scores scores = arms.get(arm);
            return ArmFigures.newBuilder()
                    .setCompletions(completions.getOrDefault(arm, 0L))
                    .setRated(scores.number)
                    .setMeanScore(scores.number == 0 ? 0 : scores.sum / scores.number)
                    .build();
        }
    }

    /** Of one arm: all of them, and those since the last comparison. */
    private static final class Scores {
        private long number;
        private double sum;
        private long newNumber;
        private double newSum;

        void add(double score) {
            number++;
            sum += score;
            newNumber++;
            newSum += score;
        }

        boolean waiting() {
            return newNumber > 0;
        }

        /** Mean of the new ones, which are not new any more. */
        double next() {
            double mean = newSum / newNumber;
            newNumber = 0;
            newSum = 0;
            return mean;
        }
    }
}

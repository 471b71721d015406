package io.tidemill.trainer.data;

import io.tidemill.proto.VersionId;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What of the log takes part in training, and how much of it counts: the shares and weights of sources, and how old feedback
 * may be. It looks at one record at a time and at no clock, so that the same record is the same example at every reading.
 *
 * @param sources  by name; those that are not named count fully
 * @param feedback how the age of an answer counts
 * @param champion that the round starts from: ages are counted from it; empty where nothing has an age
 */
public record Mixture(Map<String, SourceShare> sources, FeedbackAge feedback, Optional<VersionId> champion) {
    /** Everything counts fully. */
    public static final Mixture EVERYTHING = new Mixture(Map.of(), FeedbackAge.ANY, Optional.empty());

    /** Source of a record that names none. */
    static final String UNNAMED = "unnamed";

    private static final byte[] SAMPLE = "source share".getBytes(StandardCharsets.UTF_8);

    public Mixture {
        sources = Map.copyOf(sources);
    }

    /**
     * How much of a source counts.
     *
     * @param weight multiplied with each example's own; 0 trains on none of it
     * @param share  of its examples that are trained on; which is decided by their ids, once and for all
     */
    public record SourceShare(double weight, double share) {
        static final SourceShare ALL = new SourceShare(1, 1);

        public SourceShare {
            if (!(weight >= 0) || Double.isInfinite(weight)) {
                throw new IllegalArgumentException(
                        "weight of a source must be finite and not negative, but was " + weight);
            }
            if (!(share >= 0 && share <= 1)) {
                throw new IllegalArgumentException("share of a source must lie between 0 and 1, but was " + share);
            }
        }
    }

    /**
     * What the age of an answer means for the feedback on it. An answer of the champion has age 0, one of a version that was
     * number 12 when the champion is number 15 has age 3; an answer that no version of this model gave has no age.
     *
     * @param maximumVersions feedback on older answers is stale: counted, not learned
     * @param decay           weights are multiplied with it once a version of age; 1 leaves them
     */
    public record FeedbackAge(long maximumVersions, double decay) {
        public static final FeedbackAge ANY = new FeedbackAge(Long.MAX_VALUE, 1);

        public FeedbackAge {
            if (maximumVersions < 0) {
                throw new IllegalArgumentException(
                        "maximum-age of feedback must not be negative, but was " + maximumVersions);
            }
            if (!(decay > 0 && decay <= 1)) {
                throw new IllegalArgumentException("decay of feedback must be above 0 and at most 1, but was " + decay);
            }
        }
    }

    boolean isOff(String source) {
        SourceShare share = of(source);
        return share.weight() == 0 || share.share() == 0;
    }

    /** Is that example among those of its source that are trained on? */
    boolean samples(String source, String exampleId) {
        double share = of(source).share();
        return share == 1 || Hashes.fraction(SAMPLE, exampleId.getBytes(StandardCharsets.UTF_8)) < share;
    }

    /** What an example's own weight is multiplied with. */
    double factor(String source, OptionalLong age) {
        double decay = age.isEmpty() || feedback.decay() == 1 ? 1 : Math.pow(feedback.decay(), age.getAsLong());
        // Not 0, which would say that nobody gave a weight.
        return Math.max(Double.MIN_NORMAL, of(source).weight() * decay);
    }

    boolean isStale(OptionalLong age) {
        return age.isPresent() && age.getAsLong() > feedback.maximumVersions();
    }

    /** Versions between the one that gave an answer and the champion. */
    OptionalLong age(String version) {
        if (champion.isEmpty() || version.isEmpty()) {
            return OptionalLong.empty();
        }
        try {
            VersionId answered = VersionId.parse(version);
            return answered.model().equals(champion.get().model())
                    ? OptionalLong.of(Math.max(0, champion.get().round() - answered.round()))
                    : OptionalLong.empty();
        } catch (
                IllegalArgumentException
                        ofAnother) { // a gateway in front of some other server names its models as it likes
            return OptionalLong.empty();
        }
    }

    private SourceShare of(String source) {
        return sources.getOrDefault(source.isEmpty() ? UNNAMED : source, SourceShare.ALL);
    }
}

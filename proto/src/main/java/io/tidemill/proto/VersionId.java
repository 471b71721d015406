package io.tidemill.proto;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names one version of a model: {@code <model>-<round, six digits>}.
 *
 * @param model name of the model: letters, digits, dots, underscores and hyphens, not starting with a dot
 * @param round round that made it; 0 is the model that the lineage started from
 */
public record VersionId(String model, long round) implements Comparable<VersionId> {
    private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}");
    private static final Pattern TEXT = Pattern.compile("(.+)-([0-9]{6,18})");

    public VersionId {
        if (!MODEL.matcher(model).matches()) {
            throw new IllegalArgumentException("A model's name is 1 to 128 letters, digits, dots, underscores and"
                    + " hyphens and does not start with a dot, but was '" + model + "'.");
        }
        if (round < 0) {
            throw new IllegalArgumentException("A round must not be negative, but was " + round + ".");
        }
    }

    public static VersionId parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "A version is '<model>-<round, six digits>' as in tidemill-000012, but was '" + text + "'.");
        }
        return new VersionId(matcher.group(1), Long.parseLong(matcher.group(2)));
    }

    /** What it is called everywhere: {@code tidemill:<model>/<version>}. */
    public String uri() {
        return "tidemill:" + model + "/" + this;
    }

    @Override
    public int compareTo(VersionId other) {
        int byModel = model.compareTo(other.model);
        return byModel != 0 ? byModel : Long.compare(round, other.round);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s-%06d", model, round);
    }
}

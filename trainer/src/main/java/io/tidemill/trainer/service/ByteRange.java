package io.tidemill.trainer.service;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One range of a file as RFC 9110, section 14.1.2, writes it. Several at once, and anything else that we do not read,
 * count as none: the whole file is the answer then.
 *
 * @param first index of the first byte
 * @param last  index of the last byte
 */
record ByteRange(long first, long last) {
    private static final Pattern ONE = Pattern.compile("bytes=(\\d{0,18})-(\\d{0,18})");

    static Optional<ByteRange> parse(String header, long length) {
        Matcher matcher = ONE.matcher(header == null ? "" : header.strip());
        if (!matcher.matches()
                || (matcher.group(1).isEmpty() && matcher.group(2).isEmpty())) {
            return Optional.empty();
        }
        if (matcher.group(1).isEmpty()) {
            long suffix = Long.parseLong(matcher.group(2));
            return Optional.of(new ByteRange(suffix == 0 ? length : Math.max(0, length - suffix), length - 1));
        }
        long first = Long.parseLong(matcher.group(1));
        long last = matcher.group(2).isEmpty() ? length - 1 : Long.parseLong(matcher.group(2));
        return last < first && !matcher.group(2).isEmpty()
                ? Optional.empty()
                : Optional.of(new ByteRange(first, Math.min(last, length - 1)));
    }

    boolean satisfiable(long length) {
        return first < length && first <= last;
    }

    long length() {
        return last - first + 1;
    }
}

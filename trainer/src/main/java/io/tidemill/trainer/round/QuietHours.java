package io.tidemill.trainer.round;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * When rounds do not start by themselves, day by day; one that is running goes on, and a command may start one.
 *
 * @param from the first quiet minute, local time
 * @param to   the first that is not; earlier than {@code from} means the next day
 */
public record QuietHours(LocalTime from, LocalTime to, ZoneId zone) {
    private static final Pattern TEXT = Pattern.compile("\\s*(\\S+?)\\s*-\\s*(\\S+)(?:\\s+(\\S+))?\\s*");

    public QuietHours {
        if (from.equals(to)) {
            throw new IllegalArgumentException(
                    "quiet hours must end at another time than they begin, but both are " + from + "; pause instead");
        }
    }

    /**
     * As settings have it.
     *
     * @param text "22:00-06:00", or with a zone, "22:00-06:00 Europe/Berlin"; UTC without
     */
    public static QuietHours parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException("trainer.round.quiet-hours must be such as 22:00-06:00 or"
                    + " 22:00-06:00 Europe/Berlin, but was '" + text + "'");
        }
        return of(parts.group(1), parts.group(2), parts.group(3) == null ? "" : parts.group(3));
    }

    /** @param zone UTC where empty */
    static QuietHours of(String from, String to, String zone) {
        try {
            return new QuietHours(LocalTime.parse(from), LocalTime.parse(to), ZoneId.of(zone.isEmpty() ? "UTC" : zone));
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    "quiet hours must have local times and a zone, such as 22:00, 06:00 and Europe/Berlin, but had '"
                            + from + "', '" + to + "' and '" + zone + "': " + e.getMessage(),
                    e);
        }
    }

    /** When they end, if this moment lies within. */
    Optional<Instant> until(Instant now) {
        ZonedDateTime local = now.atZone(zone);
        LocalTime time = local.toLocalTime();
        boolean overnight = to.isBefore(from);
        boolean within =
                overnight ? !time.isBefore(from) || time.isBefore(to) : !time.isBefore(from) && time.isBefore(to);
        if (!within) {
            return Optional.empty();
        }
        boolean tomorrow = overnight && !time.isBefore(from);
        return Optional.of(local.toLocalDate()
                .plusDays(tomorrow ? 1 : 0)
                .atTime(to)
                .atZone(zone)
                .toInstant());
    }

    @Override
    public String toString() {
        return from + "-" + to + " " + zone;
    }
}

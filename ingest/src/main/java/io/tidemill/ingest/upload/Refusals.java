package io.tidemill.ingest.upload;

import io.tidemill.proto.Reading;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The lines of one request that cannot be taken, each with its field, value and what is expected. */
final class Refusals {
    private final List<Map<String, Object>> lines = new ArrayList<>();
    private boolean allTooLarge = true;

    void add(long line, Reading.Refused<?> refused) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("line", line);
        entry.put("code", refused.code());
        entry.put("field", refused.field());
        entry.put("value", refused.value());
        entry.put("expected", refused.expected());
        entry.put("reason", refused.reason());
        lines.add(entry);
        allTooLarge &= refused.code().equals(Piece.TOO_LARGE);
    }

    int count() {
        return lines.size();
    }

    boolean isEmpty() {
        return lines.isEmpty();
    }

    /** Whether length is all that is wrong. */
    boolean onlyTooLarge() {
        return !lines.isEmpty() && allTooLarge;
    }

    List<Map<String, Object>> list() {
        return lines;
    }

    String firstReason() {
        return "line " + lines.get(0).get("line") + ": " + lines.get(0).get("reason");
    }
}

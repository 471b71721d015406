package io.tidemill.trainer.offline.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One record of a source, before anybody asks what it is for.
 *
 * @param fields columns with their values; all texts where they come from CSV
 */
record Row(Place place, ObjectNode fields) {
    List<String> columns() {
        List<String> columns = new ArrayList<>();
        fields.fieldNames().forEachRemaining(columns::add);
        return columns;
    }

    /** The same with columns named by what they hold. */
    Row renamed(Map<String, String> columns) {
        if (columns.isEmpty()) {
            return this;
        }
        ObjectNode renamed = fields.deepCopy();
        columns.values().forEach(renamed::remove);
        columns.forEach((role, column) -> {
            JsonNode value = fields.get(column);
            if (value != null) {
                renamed.set(role, value);
            }
        });
        return new Row(place, renamed);
    }
}

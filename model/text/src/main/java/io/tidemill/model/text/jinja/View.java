package io.tidemill.model.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The keys, values or items of a mapping: can be walked over and counted, but has no places. */
record View(Kind kind, Map<?, ?> map) {
    enum Kind {
        KEYS,
        VALUES,
        ITEMS
    }

    List<Object> list() {
        List<Object> list = new ArrayList<>(map.size());
        map.forEach((key, value) -> list.add(
                switch (kind) {
                    case KEYS -> key;
                    case VALUES -> value;
                    case ITEMS -> new Tuple(java.util.Arrays.asList(key, value));
                }));
        return list;
    }
}

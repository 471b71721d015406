package io.tidemill.model.text.jinja;

import java.util.List;

/** A list that prints with parentheses and equals no list. */
record Tuple(List<Object> items) {}

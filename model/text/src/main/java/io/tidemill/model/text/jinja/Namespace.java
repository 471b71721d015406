package io.tidemill.model.text.jinja;

import java.util.Map;

/** The only value whose members a template may set. */
record Namespace(Map<String, Object> members) {}

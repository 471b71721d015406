package io.tidemill.model.text.jinja;

/** What a missing variable or member is: prints as nothing, is false and empty, and refuses everything else. */
record Undefined(String reason) {
    JinjaException fault() {
        return new JinjaException(reason);
    }
}

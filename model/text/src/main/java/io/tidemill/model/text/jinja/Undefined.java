package io.tidemill.model.text.jinja;

import java.util.function.Supplier;

/** What a missing variable or member is: prints as nothing, is false and empty, and refuses everything else. */
final class Undefined {
    private final Supplier<String> reason;

    Undefined(String reason) {
        this(() -> reason);
    }

    /** A reason that costs something to write down, which is done only where someone asks. */
    Undefined(Supplier<String> reason) {
        this.reason = reason;
    }

    String reason() {
        return reason.get();
    }

    JinjaException fault() {
        return new JinjaException(reason());
    }
}

package io.tidemill.model.text.jinja;

/** Text that a template declared to be HTML already: what is added to it is escaped first. */
record Safe(String text) {
    /** Source: MarkupSafe's {@code escape}. */
    static Safe escape(Object value) {
        if (value instanceof Safe safe) {
            return safe;
        }
        return new Safe(Values.string(value)
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;"));
    }
}

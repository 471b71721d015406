package io.tidemill.feedback.gateway;

import java.util.List;
import java.util.Optional;

/**
 * One checked request about texts.
 *
 * @param texts at least one, none blank
 * @param model name or version that the client asks for; empty takes what serves
 * @param most  guesses for each mask; of no use to a classifier
 */
record AskedAbout(List<Text> texts, Optional<String> model, int most) {
    /** A text and the field that it stood in. */
    record Text(String field, String text) {}
}

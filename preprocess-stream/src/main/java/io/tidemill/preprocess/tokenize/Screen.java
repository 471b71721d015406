package io.tidemill.preprocess.tokenize;

import io.tidemill.preprocess.outcome.Refusal;
import java.util.List;
import java.util.Optional;

/** Refuses what is empty or too long; looks at one normalised record alone. */
record Screen(int maxCharacters) {
    private static final String STAGE = "screen";

    Optional<Refusal> refuse(Material material) {
        List<String> texts = material.texts();
        if (texts.stream().allMatch(String::isBlank)) {
            return refusal("empty", "the " + material.kind() + " holds nothing but white space and control characters");
        }
        long characters = texts.stream()
                .mapToLong(text -> text.codePointCount(0, text.length()))
                .sum();
        if (characters > maxCharacters) {
            return refusal(
                    "too-long",
                    "the " + material.kind() + " has " + characters + " characters, at most " + maxCharacters
                            + " are taken (preprocess.max-document-characters)");
        }
        return Optional.empty();
    }

    private static Optional<Refusal> refusal(String code, String reason) {
        return Optional.of(new Refusal(STAGE, code, reason));
    }
}

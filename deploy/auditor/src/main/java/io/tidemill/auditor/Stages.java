package io.tidemill.auditor;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The stages of a ledger as small numbers, and what they are called in the sum of the architecture's section 4. */
final class Stages {
    static final String HELD_OUT = "held-out";
    static final String ERASED = "erased";
    static final String QUARANTINED = "quarantined";

    private static final Set<String> TRAINED =
            Set.of("pretrain", "sft", "preference", "rating", "rollout", "masked-lm", "classification");
    private static final int MOST = 100;

    private final List<String> names = new ArrayList<>();

    /** From 1. */
    int code(String stage) {
        int at = names.indexOf(stage);
        if (at < 0) {
            at = names.size();
            names.add(stage);
        }
        if (at >= MOST) {
            throw new AuditException("A ledger has more than " + MOST + " kinds of stages, last '" + stage + "'.");
        }
        return at + 1;
    }

    String name(int code) {
        return names.get(code - 1);
    }

    static boolean isTrained(String stage) {
        return TRAINED.contains(stage);
    }
}

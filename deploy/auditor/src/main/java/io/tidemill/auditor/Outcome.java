package io.tidemill.auditor;

import java.util.Optional;

/** What became of an event or an example, best first: an event counts as the best that was made of it. */
enum Outcome {
    TRAINED("trained"),
    HELD_OUT("held out"),
    WAITING("waiting"),
    WAITING_FOR_A_RETRY("waiting for a retry"),
    QUARANTINED("quarantined"),
    ERASED("erased"),
    WITHDRAWN("withdrawn"),
    WITHDRAWAL("withdrawal"),
    WITHOUT_OBJECTIVE("without objective"),
    SUPERSEDED("superseded"),
    UNMATCHED("unmatched"),
    REPEATED("repeated"),
    REJECTED("rejected"),
    /** No trace, but retention has taken some of what it may have left. */
    GONE("no longer in the log"),
    /** No trace: a finding. */
    LOST("lost");

    private final String text;

    Outcome(String text) {
        this.text = text;
    }

    /** Of a stage in a ledger. What a round would not learn from, it has rejected. */
    static Outcome ofStage(String stage) {
        if (Stages.isTrained(stage)) {
            return TRAINED;
        }
        return switch (stage) {
            case Stages.HELD_OUT -> HELD_OUT;
            case Stages.ERASED -> ERASED;
            case Stages.QUARANTINED -> QUARANTINED;
            case "withdrawn" -> WITHDRAWN;
            case "in-a-pair" -> SUPERSEDED; // its pair, in the same slice, says the same and more
            case "withdrawal" -> WITHDRAWAL;
            case "without-objective", "undecided", "source-off", "not-sampled" -> WITHOUT_OBJECTIVE;
            case "repeated" -> REPEATED;
            default -> REJECTED;
        };
    }

    /** Of a code in {@code rejected}. */
    static Outcome ofRejection(String code) {
        return switch (code) {
            case "repeated", "duplicate" -> REPEATED;
            case "superseded" -> SUPERSEDED;
            case "unmatched" -> UNMATCHED;
            case "without-objective" -> WITHOUT_OBJECTIVE;
            case "withdrawn" -> WITHDRAWN;
            default -> ofErasure(code).orElse(REJECTED);
        };
    }

    private static Optional<Outcome> ofErasure(String code) {
        return code.startsWith("erased") ? Optional.of(ERASED) : Optional.empty();
    }

    Outcome orBetter(Outcome other) {
        return compareTo(other) <= 0 ? this : other;
    }

    @Override
    public String toString() {
        return text;
    }
}

package io.tidemill.trainer.data;

/** Names of what happens to an example, as ledger, events and metrics write them. */
public final class Stages {
    public static final String PRETRAIN = "pretrain";
    public static final String SFT = "sft";
    /** Pairs, whatever the objective. */
    public static final String PREFERENCE = "preference";
    /** Answers rated one by one. */
    public static final String RATING = "rating";
    /** Prompts that the model itself answers in training. */
    public static final String ROLLOUT = "rollout";

    /** An encoder's documents. */
    public static final String MASKED_LM = "masked-lm";
    /** Texts with labels or a score, for an encoder. */
    public static final String CLASSIFICATION = "classification";

    public static final String HELD_OUT = "held-out";
    /** No stage that is switched on learns from it. */
    public static final String WITHOUT_OBJECTIVE = "without-objective";
    /** Of a source that is switched off. */
    public static final String SOURCE_OFF = "source-off";
    /** Of a source that is trained on in part, and not in that part. */
    public static final String NOT_SAMPLED = "not-sampled";
    /** Feedback on an answer of a version that is too old. */
    public static final String STALE = "stale";
    /** Takes back what the same rater said before. */
    public static final String WITHDRAWAL = "withdrawal";
    /** Taken back in the same slice, so not learned. */
    public static final String WITHDRAWN = "withdrawn";
    /** Seen before, in this slice or by an ancestor. */
    public static final String REPEATED = "repeated";
    /** Not readable, or not fit to train on. */
    public static final String UNREADABLE = "unreadable";
    /** An earlier round diverged by it, so no other reads it. */
    public static final String QUARANTINED = "quarantined";
    /** A rated answer that is also in a pair of the same slice, which says the same and more. */
    public static final String IN_A_PAIR = "in-a-pair";
    /** A rating that says neither good nor bad. */
    public static final String UNDECIDED = "undecided";
    /** A labelled text whose labels are none of the model's, too many or too few, or whose score it has no use for. */
    public static final String OTHER_LABELS = "other-labels";
    /** What it was made of was to be forgotten before the round was planned. */
    public static final String ERASED = "erased";
    /** Longer than the model's context. */
    public static final String TOO_LONG = "too-long";

    private Stages() {}
}

package io.tidemill.trainer.data;

/** Names of what happens to an example, as ledger, events and metrics write them. */
public final class Stages {
    public static final String PRETRAIN = "pretrain";
    public static final String SFT = "sft";
    public static final String DPO = "dpo";
    public static final String HELD_OUT = "held-out";
    /** A preference that is one scored completion: no stage learns from it yet. */
    public static final String WITHOUT_OBJECTIVE = "without-objective";
    /** Takes back what the same rater said before. */
    public static final String WITHDRAWAL = "withdrawal";
    /** Taken back in the same slice, so not learned. */
    public static final String WITHDRAWN = "withdrawn";
    /** Seen before, in this slice or by an ancestor. */
    public static final String REPEATED = "repeated";
    /** Not readable, or not fit to train on. */
    public static final String UNREADABLE = "unreadable";
    /** Longer than the model's context. */
    public static final String TOO_LONG = "too-long";

    private Stages() {}
}

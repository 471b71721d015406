package io.tidemill.trainer.service;

import io.smallrye.config.WithDefault;
import java.util.List;
import java.util.Optional;

/** What the operator asks of a candidate beyond held-out examples: keys of {@code trainer.gate}. */
public interface GatePolicyConfig {
    /**
     * JSONL files of questions, each with a check of the answer or with choices: what the model must go on being able to do.
     * docs/gate.md
     */
    Optional<List<String>> probes();

    /** The same; of these nothing that the champion, or the pinned ancestor, passed may fail. */
    Optional<List<String>> safetyProbes();

    /** JSONL of {"text": …, "labels": […]}, for a classifier. */
    Optional<String> labelProbes();

    /** Accepted fall of a suite of probes; share of their weight. */
    @WithDefault("0.1")
    double probeMargin();

    /** With fewer probes than that a suite of the operator's stops the start. */
    @WithDefault("10")
    int minimumProbes();

    /** Tokens of an answer to a probe that does not say, at most. */
    @WithDefault("48")
    int probeTokens();

    /** Questions whose answers are watched for length, repetition and agreement with the parent's; 0 watches nothing. */
    @WithDefault("32")
    int driftSample();

    /** Of such an answer, at most. */
    @WithDefault("48")
    int driftTokens();

    /** With fewer questions drift is told, but decides nothing. */
    @WithDefault("20")
    int minimumDrift();

    /** JSONL of {"prompt": …} or {"messages": …} for it; prompts of held-out pairs where absent. */
    Optional<String> driftPrompts();

    /** Accepted change of the mean length; share of drift-tokens. */
    @WithDefault("0.35")
    double lengthMargin();

    /** Accepted rise of what an answer says again; share of its 3-grams. */
    @WithDefault("0.25")
    double repetitionMargin();

    /** Accepted loss of what the parent answered; share of its tokens. With 1 it is told, but decides nothing. */
    @WithDefault("1")
    double agreementMargin();

    /** Names of suites without whose judgement nothing is promoted; probes, safety-probes and label-probes always are such. */
    Optional<List<String>> required();

    /** Names of suites in which a candidate must be shown to be better than the champion to be promoted. */
    Optional<List<String>> superior();

    /** Whether the trainer must not start without a suite of the operator's. */
    @WithDefault("false")
    boolean requireOperatorSuite();
}

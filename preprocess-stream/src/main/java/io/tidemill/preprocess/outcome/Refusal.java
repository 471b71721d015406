package io.tidemill.preprocess.outcome;

/**
 * Why a record cannot be used.
 *
 * @param stage  operator that refused it: "parse", "screen", "deduplicate", "tokenize", "join", "pair-ratings"
 * @param code   short and stable, for counting
 * @param reason one sentence with the value and what is expected
 */
public record Refusal(String stage, String code, String reason) {}
